"""Sealed results in memory: the twin of RedisResults for tests, beside a ledger in memory."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.errors import NotFound
from core.domain.job import Job, JobState
from core.domain.sealed_result import SealedResult, opened, sealed
from core.ports.results import Recorded
from tests.twins.job_status import MemoryJobStatus


@dataclass
class MemoryResults:
    """ResultsPort on the jobs of this ledger."""

    ledger: MemoryJobStatus
    asked: dict[str, float] = field(default_factory=dict)
    """Jobs to be scored again, with the time from which each is given out."""

    def get(self, job_id: str) -> Recorded | None:
        result = self.ledger.results.get(job_id)
        try:
            job = self.ledger.get(job_id)
        except NotFound:
            return None
        if result is None or job.finished_at is None:
            return None
        seal = sealed(result)
        return Recorded(result=opened(seal.text, seal.sha256), finished_at=job.finished_at, sha256=seal.sha256)

    def of_benchmark(self, benchmark: str, *, known: Collection[str] = ()) -> Mapping[str, Recorded]:
        wanted = (job_id for job_id in self.completed_jobs(benchmark) if job_id not in known)
        return {job_id: found for job_id in wanted if (found := self.get(job_id))}

    def completed_jobs(self, benchmark: str) -> Sequence[str]:
        return [job.job_id for job in self._completed() if job.benchmark == benchmark and not job.trial]

    def unsealed(self) -> Sequence[str]:
        return [job.job_id for job in self._completed() if job.job_id not in self.ledger.results]

    def seal_old(self, result: SealedResult) -> bool:
        fits = any((job.job_id, job.run_id) == (result.job_id, result.run_id) for job in self._completed())
        if not fits or result.job_id in self.ledger.results:
            return False
        self.ledger.results[result.job_id] = result
        self.ledger.runs[result.run_id] = result.job_id
        return True

    def ask_rescore(self, job_id: str) -> None:
        self.asked.setdefault(job_id, 0.0)

    def take_rescore(self, seconds: float) -> str | None:
        now = time.monotonic()
        due = sorted((at, job_id) for job_id, at in self.asked.items() if at <= now)
        if not due:
            return None
        self.asked[due[0][1]] = now + seconds
        return due[0][1]

    def end_rescore(self, job_id: str) -> None:
        self.asked.pop(job_id, None)

    def reseal(self, sha256: str, result: SealedResult) -> bool:
        known = self.get(result.job_id)
        if known is None or known.sha256 != sha256:
            return False
        self.ledger.results[result.job_id] = result
        return True

    def owners(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        return {run_id: self.ledger.runs[run_id] for run_id in run_ids if run_id in self.ledger.runs}

    def _completed(self) -> list[Job]:
        found = self.ledger.list_jobs(state=JobState.COMPLETED, limit=10**6).jobs
        return sorted(found, key=lambda job: job.created_at)
