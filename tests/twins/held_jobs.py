"""The jobs of the ledger's twin with their leases: how a job is put back or closed, and what fences off old claims."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from core.domain.job import Claim, Job, JobState, Phase
from tests.twins.job_records import MemoryJobRecords
from tests.twins.leases import UNTIL_TOLD, MemoryLeases
from tests.twins.suspects import MemorySuspects
from tests.twins.waiting_results import MemoryWaitingResults


@dataclass
class MemoryHeldJobs(MemoryJobRecords):
    """Its lock is held around every call of its parts."""

    _leases: MemoryLeases = field(init=False)
    _suspects: MemorySuspects = field(init=False)
    _results: MemoryWaitingResults = field(init=False)

    def __post_init__(self) -> None:
        self._leases = MemoryLeases(self._clocked)
        self._results = MemoryWaitingResults(self._clocked, self.get)
        self._suspects = MemorySuspects(self._clocked, self.get, self._leases.is_there)

    def _clocked(self) -> float:
        return self.clock()

    def _aside(self) -> Container[str]:
        return {job_id for job_id, since in self._leases.orphans.items() if since == UNTIL_TOLD}

    def _cancelled(self, job: Job) -> Job:
        if job.attempt == 1 and job.sandbox is None:
            self.give_back(job)
        return self._close(job, JobState.CANCELLED)

    def _requeue(self, job: Job, *, counted: bool, why: str) -> Job:
        self._leases.forget(job.job_id)
        job = replace(job, attempt=job.attempt - (not counted), again_because=why or None)
        pending = self._move(job, JobState.PENDING, phase=Phase.QUEUED)
        return self._store(replace(pending, sandbox=None, host=None, sealed=False))

    def _close(self, job: Job, to: JobState) -> Job:
        self._leases.forget(job.job_id)
        return self._store(replace(self._move(job, to, phase=Phase.DONE), finished_at=self._now()))

    @contextmanager
    def _fenced(self, claim: Claim) -> Iterator[Job]:
        with self._lock:
            self._leases.check(claim)
            yield self._jobs[claim.job_id]
