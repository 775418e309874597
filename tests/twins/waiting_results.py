"""When and which results of the ledger's twin are tried again at the tracking server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.domain.job import Job, JobState
from core.domain.recording_pace import LONGEST_SECONDS, MOST_AT_ONCE, STUCK_SECONDS, TURN_SECONDS, next_pause


@dataclass
class MemoryWaitingResults:
    """Not safe by itself: the ledger's lock is held around every call."""

    clock: Callable[[], float]
    get: Callable[[str], Job]
    since: dict[str, float] = field(default_factory=dict)
    """When a result was left to wait, by job."""
    _released: dict[str, float] = field(default_factory=dict)
    _due: float = 0.0
    _pause: float = 0.0
    _batch: int = 1

    def left(self, job_id: str) -> None:
        self.since[job_id] = self.clock()

    def turn(self, waits: Callable[[str], bool], *, jitter: float) -> bool:
        """Whether the caller is to look if the server answers; `waits` tells whether a result waits (again)."""
        now = self.clock()
        recorded, in_vain = self._settled(waits)
        if recorded:
            self._due, self._pause, self._batch = now, 0.0, min(MOST_AT_ONCE, 2 * self._batch)
        elif in_vain:
            self.in_vain(jitter=jitter)
        elif self._due > now + max(TURN_SECONDS, 2 * LONGEST_SECONDS):
            self._due = now
        mine = self._due <= now and len(self._released) < self._batch
        if mine:
            self._due = now + TURN_SECONDS
        return mine

    def in_vain(self, *, jitter: float) -> None:
        self._pause, self._batch = next_pause(self._pause), 1
        self._due = self.clock() + self._pause * (0.5 + jitter)

    def released(self, waiting: Iterable[str]) -> list[str]:
        """Those that are let go of, the longest-waiting first."""
        self._due = self.clock()
        free = max(0, self._batch - len(self._released))
        found = sorted(waiting, key=lambda job_id: (self.since.get(job_id, 0.0), job_id))[:free]
        self._released |= dict.fromkeys(found, self.clock())
        return found

    def _settled(self, waits: Callable[[str], bool]) -> tuple[int, int]:
        recorded = in_vain = 0
        for job_id, at in list(self._released.items()):
            running, again = self.get(job_id).state is JobState.RUNNING, waits(job_id)
            if running and not again and 0 <= self.clock() - at < STUCK_SECONDS:
                continue
            del self._released[job_id]
            recorded += self.get(job_id).state is JobState.COMPLETED
            in_vain += running and again
        return recorded, in_vain
