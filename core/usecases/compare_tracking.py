"""Compares sealed results with their runs at the tracking server, and restores single runs (DOR-3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.errors import Conflict, NotFound, Unavailable
from core.domain.sealed_result import SealedResult
from core.domain.tracking_state import UNKNOWN, Tracking, compared
from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort
from core.ports.tracking import RunRef, TrackingPort


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareBoard:
    """Compares all results of a benchmark; returned by job id. Raises Unavailable."""

    results: ResultsPort
    tracking: TrackingPort

    def __call__(self, benchmark: str) -> Mapping[str, Tracking]:
        sealed = {job_id: one.result for job_id, one in self.results.of_benchmark(benchmark).items()}
        runs = self.tracking.tracked([_ref(result) for result in sealed.values()])
        return {job_id: compared(result, runs.get(result.run_id)) for job_id, result in sealed.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class CompareRun:
    """Compares one result, including its files' names and sizes; unknown if the tracking server does not answer."""

    tracking: TrackingPort

    def __call__(self, result: SealedResult) -> Tracking:
        try:
            run = self.tracking.tracked([_ref(result)]).get(result.run_id)
            files = self.tracking.files(result.run_id) if run and not run.is_deleted else None
        except (Unavailable, NotFound):
            return UNKNOWN
        return compared(result, run, files)


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreRun:
    """Write a sealed result back into its run. Returns how the run compares afterwards.

    Raises NotFound (no such job), Conflict (a trial, nothing is sealed, or the run is gone for good), Unavailable.
    """

    job_status: JobStatusPort
    results: ResultsPort
    tracking: TrackingPort

    def __call__(self, job_id: str) -> Tracking:
        job = self.job_status.get(job_id)
        if job.trial:
            raise Conflict("This was a trial: nothing of it is in MLflow, so nothing can be written back.")
        recorded = self.results.get(job.job_id)
        if recorded is None:
            raise Conflict("This job has no recorded result that could be written back.")
        try:
            self.tracking.rewrite(recorded.result)
        except NotFound as error:
            raise Conflict(
                "The run of this job is gone from MLflow for good. Its result stays on the board, as it was recorded."
            ) from error
        return CompareRun(tracking=self.tracking)(recorded.result)


def _ref(result: SealedResult) -> RunRef:
    return RunRef(run_id=result.run_id, experiment_id=result.experiment_id)
