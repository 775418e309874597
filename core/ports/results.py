"""Sealed results: what each completed job scored, as the ledger holds it."""

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
    """All methods raise Unavailable. A result lives exactly as long as its job's record.

    It is written by `JobStatusPort.finish`, in one step with the final state, and never changed.
    """

    def get(self, job_id: str) -> Recorded | None:
        """None for a job that did not complete, or completed before results were sealed."""
        ...

    def of_benchmark(self, benchmark: str, *, known: Collection[str] = ()) -> Mapping[str, Recorded]:
        """The results of a benchmark's completed jobs by job id, without those of the known jobs."""
        ...

    def completed_jobs(self, benchmark: str) -> Collection[str]:
        """The benchmark's completed jobs, as listed."""
        ...

    def unsealed(self) -> Sequence[str]:
        """Completed jobs on record without a result, oldest first: asks for every completed job, so ask seldom."""
        ...

    def seal_old(self, result: SealedResult) -> bool:
        """Seal the result of a completed job that has none, once; False when it has one, or is not on record."""
        ...

    def owners(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        """Of runs that the platform began at the tracking server: of which job each is. Others are left out."""
        ...
