"""Sealed results: the results of completed jobs in the ledger."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.sealed_result import SealedResult
from core.domain.standings import Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A sealed result, with its job's end by the ledger's clock and the SHA-256 of its text."""

    result: SealedResult
    finished_at: datetime
    sha256: str

    @property
    def entry(self) -> Entry:
        """The row of a board."""
        return self.result.entry(self.finished_at)


class ResultsPort(Protocol):
    """All methods raise Unavailable. A result is kept exactly as long as its job's record.

    It is written by `JobStatusPort.finish`, in one step with the final state, and changed only by `reseal`.
    """

    def get(self, job_id: str) -> Recorded | None:
        """None for a job that did not complete, or that completed before results were sealed."""
        ...

    def of_benchmark(self, benchmark: str, *, known: Collection[str] = ()) -> Mapping[str, Recorded]:
        """Results of a benchmark's completed jobs by job id, without the jobs in `known`."""
        ...

    def completed_jobs(self, benchmark: str) -> Collection[str]:
        """Ids in the benchmark's list of completed jobs."""
        ...

    def unsealed(self) -> Sequence[str]:
        """Completed jobs without a result, oldest first. Reads every completed job, so call it seldom."""
        ...

    def seal_old(self, result: SealedResult) -> bool:
        """Seal the result of a completed job that has none. Returns False if it has one or has no record."""
        ...

    def owners(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        """The job of each of these runs, as far as the platform began them at the tracking server."""
        ...

    def ask_rescore(self, job_id: str) -> None:
        """Have the result of this job computed anew; asking twice is asking once."""
        ...

    def take_rescore(self, seconds: float) -> str | None:
        """The job that waited longest; it is given out again after `seconds`, unless `end_rescore` is called before."""
        ...

    def end_rescore(self, job_id: str) -> None:
        """Removes the wish to compute this job's score anew."""
        ...

    def reseal(self, sha256: str, result: SealedResult) -> bool:
        """Replace the result whose text has this SHA-256. Returns False if another one is there by now, or none."""
        ...
