"""Files that are written beside what they will be, of processes that were killed before they named them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.lease.claim_locks import HeldClaims

SETTLED_SECONDS = 20.0
"""Whoever writes one has named it by then, or is at it for longer than anybody should be."""
LOG_COPY = re.compile(r"\.([0-9a-f]{32})\.log\.[0-9a-f]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporaryFiles:
    """Of this host's runners: copies of logs that were being taken over, and locks that never got their name."""

    held: HeldClaims
    log_root: Path

    def clear(self, is_over: Callable[[str], bool]) -> Iterator[str]:
        """Removes them, and says which; of a job that is not over its next runner does it."""
        yield from self.held.clear_unnamed(older_than=SETTLED_SECONDS)
        yield from self.held.clear_foreign(is_over, older_than=SETTLED_SECONDS)
        for path in self.log_root.glob(".*.log.*"):
            found = LOG_COPY.fullmatch(path.name)
            if found and _settled(path) and is_over(found[1]):
                path.unlink(missing_ok=True)
                yield path.name


def _settled(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - SETTLED_SECONDS
    except FileNotFoundError:
        return False
