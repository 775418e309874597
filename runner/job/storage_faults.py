"""Whether a job was held up by storage, which costs it no attempt, or failed by something else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from core.adapters.files.disk_space import NO_ROOM, UNUSABLE

MOST_UNCONFIRMED = 5
"""So often one job is held up by an error of storage while every folder can be used: its own files are broken then."""


@dataclass(kw_only=True)
class StorageFaults:
    """Lives as long as its process."""

    now: Callable[[], str | None] = lambda: None
    """Which folder cannot be used now and why; None when all can."""
    _unconfirmed: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold_up(self, job_id: str, error: Exception) -> bool:
        """Whether this error is the storage's: a folder cannot be used now, or the error says that it could not be."""
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
