"""Checks whether the engine is new enough for foreign programs; repeatedly, as it may be updated meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runner.engine.advisories import old_parts, refusal

FRESH_SECONDS = 30.0


@dataclass(kw_only=True)
class Floors:
    """Lives as long as its process."""

    versions: Callable[[], Mapping[str, str]]
    allowed: bool
    """ALLOW_OLD_ENGINE: an admin knows what is too old, and takes jobs all the same."""
    clock: Callable[[], float] = time.monotonic
    _found: str | None = None
    _until: float = float("-inf")

    def refusal(self) -> str | None:
        """Why no job may begin, or None. Raises Unavailable."""
        if self.allowed:
            return None
        if self.clock() >= self._until:
            self._found = refusal(old_parts(self.versions()))
            self._until = self.clock() + FRESH_SECONDS
        return self._found
