"""Decides whether storage held a job up, which costs it no attempt, or something else failed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from core.adapters.files.disk_space import NO_ROOM, UNUSABLE

MOST_UNCONFIRMED = 5
"""How often an error of storage holds one job up while all folders can be used; after that its own files are broken."""


@dataclass(kw_only=True)
class StorageFaults:
    """Lives as long as its process."""

    now: Callable[[], str | None] = lambda: None
    """Which folder cannot be used now and why; None when all can."""
    _unconfirmed: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold_up(self, job_id: str, error: Exception) -> bool:
        """Whether this error is the storage's: a folder cannot be used now, or the error says so of a moment ago."""
        number = error.errno if isinstance(error, OSError) else None
        if number in NO_ROOM or self.now():
            return True
        if number not in UNUSABLE:
            return False
        with self._lock:
            self._unconfirmed[job_id] += 1
            if self._unconfirmed[job_id] <= MOST_UNCONFIRMED:
                return True
            del self._unconfirmed[job_id]
        return False
