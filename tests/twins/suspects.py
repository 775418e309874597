"""Which job of the ledger's twin a host takes next, where some of them may be what their runners died of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from core.domain.job import ALONE_SECONDS, Job, JobState


@dataclass
class MemorySuspects:
    """Not safe by itself: the ledger's lock is held around every call. `is_there` tells whether a host lives."""

    clock: Callable[[], float]
    get: Callable[[str], Job]
    is_there: Callable[[str], bool]
    _alone_since: dict[str, float] = field(default_factory=dict)
    _reserved: dict[str, str] = field(default_factory=dict)
    """The waiting suspect for which a host empties itself, by host."""

    def taken(self, job: Job, host: str) -> None:
        if job.is_suspect:
            self._alone_since[job.job_id] = self.clock()
            self._reserved.pop(host, None)

    def is_alone(self, job: Job) -> bool:
        """Whether nothing is claimed beside this job that its host's runners hold."""
        return job.is_suspect and not self._is_over(self._alone_since.get(job.job_id, 0.0))

    def orphan(self, mine: Iterable[tuple[Job, float]], *, held: int) -> tuple[Job | None, bool]:
        """Which run of this host is taken over now, of those that wait since a moment; and whether one waits on."""
        waiting = list(mine)
        sound = [job for job, _since in waiting if not job.is_suspect]
        if sound or not waiting:
            return (sound[0] if sound else None), False
        suspect, since = waiting[0]
        return (None, True) if held and not self._is_over(since) else (suspect, False)

    def pending(self, fair: Sequence[Job], resource_class: str, host: str, *, held: int) -> Job | None:
        """The first in the fair order that may begin here, now."""
        if self._is_reserved(host, resource_class):
            return None
        passed_over: set[str] = set()
        for job in fair:
            if job.user_id in passed_over:  # a user's jobs begin in their order
                continue
            if not job.is_suspect or not held or self._is_over(job.updated_at.timestamp()):
                return job
            if not self._is_emptied_elsewhere(job, host):
                self._reserved[host] = job.job_id
                return None
            passed_over.add(job.user_id)
        return None

    def _is_emptied_elsewhere(self, job: Job, host: str) -> bool:
        return any(
            reserved == job.job_id and other != host and self.is_there(other)
            for other, reserved in self._reserved.items()
        )

    def _is_reserved(self, host: str, resource_class: str) -> bool:
        if host not in self._reserved:
            return False
        job = self.get(self._reserved[host])
        if job.state is JobState.PENDING and not self._is_over(job.updated_at.timestamp()):
            return job.resource_class != resource_class
        del self._reserved[host]
        return False

    def _is_over(self, since: float) -> bool:
        """What a clock that was set back says was in the future is long ago."""
        return not 0 <= self.clock() - since < ALONE_SECONDS
