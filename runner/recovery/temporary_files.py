"""Removes temporary files of processes that were killed before they renamed them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.lease.claim_locks import ClaimLocks

SETTLED_SECONDS = 20.0
"""Older temporary files belong to dead writers; writing and renaming one takes far less time."""
LOG_COPY = re.compile(r"\.([0-9a-f]{32})\.log\.[0-9a-f]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporaryFiles:
    """Copies of logs that were being taken over, and lock files that never got their name."""

    claim_locks: ClaimLocks
    log_root: Path

    def clear(self, is_over: Callable[[str], bool]) -> Iterator[str]:
        """Removes them and yields their names. Copies for a job that is not over are left to its next runner."""
        yield from self.claim_locks.clear_unnamed(older_than=SETTLED_SECONDS)
        yield from self.claim_locks.clear_foreign(is_over, older_than=SETTLED_SECONDS)
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
