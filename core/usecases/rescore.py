"""AskRescore: an admin has a result computed anew from the run's predictions, because labels or metrics changed."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.benchmark import Scoring
from core.domain.errors import Conflict
from core.ports.benchmarks import BenchmarkPort
from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort


@dataclass(frozen=True, kw_only=True, slots=True)
class AskRescore:
    """A runner does it within seconds. Raises NotFound, Conflict (there is nothing to score), Unavailable."""

    job_status: JobStatusPort
    results: ResultsPort
    benchmarks: BenchmarkPort

    def __call__(self, job_id: str) -> None:
        job = self.job_status.get(job_id)
        if job.trial or self.results.get(job.job_id) is None:
            raise Conflict("This job has no recorded result that could be scored again.")
        if self.benchmarks.get(job.benchmark).scoring is not Scoring.VERIFIED:
            raise Conflict(f"Scores of {job.benchmark!r} are reported by the submissions; there is nothing to compute.")
        self.results.ask_rescore(job.job_id)
