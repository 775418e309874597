"""SealOldResults: seals results of jobs that completed before results were sealed, read from the tracking server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from core.domain.artifact_order import chosen
from core.domain.errors import NotFound
from core.domain.job import Job, JobState
from core.domain.sealed_result import (
    MAX_SEALED_FILES,
    PLATFORM_FIGURES,
    SealedFile,
    SealedFrom,
    SealedResult,
    finite,
)
from core.domain.tracking_state import FINISHED, IDENTITY
from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort
from core.ports.tracking import RecordedRun, TrackingPort

JOB_TAG = "leadersboard.job_id"
TAGS = "leadersboard."

log = structlog.get_logger(__name__)


class NoSource(ValueError):
    """Raised when a job's result can no longer be sealed; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SealOldResults:
    """May be repeated and interrupted: each job is one atomic step, and an existing result is kept."""

    job_status: JobStatusPort
    results: ResultsPort
    tracking: TrackingPort

    def __call__(self, keep_going: Callable[[], bool] = lambda: True) -> tuple[int, int]:
        """Seal all missing results. Returns how many were sealed, and how many cannot be. Raises Unavailable."""
        done = hopeless = 0
        for job_id in self.results.unsealed():
            if not keep_going():
                break
            try:
                self.seal(self.job_status.get(job_id))
                done += 1
            except (NoSource, NotFound) as error:
                hopeless += 1
                log.warning("result not sealed", job_id=job_id, reason=str(error))
        return done, hopeless

    def seal(self, job: Job) -> None:
        """Seal the result of one completed job. Raises NoSource, Unavailable."""
        if job.state is not JobState.COMPLETED or job.run_id is None:
            raise NoSource("the job has no run")
        try:
            run = self.tracking.get_run(job.run_id)
        except NotFound as error:
            raise NoSource("its run is not in MLflow any more") from error
        if run.state.is_deleted:
            raise NoSource("its run was deleted in MLflow")
        if run.state.status != FINISHED or run.state.tags.get(JOB_TAG) != job.job_id:
            raise NoSource("its run in MLflow is not a finished run of this job any more")
        try:
            self.results.seal_old(_result_of(job, run))
        except ValueError as error:
            raise NoSource(str(error)) from error


def _result_of(job: Job, run: RecordedRun) -> SealedResult:
    """User, submission and times come from the ledger; figures, params and files from the tracking server."""
    numbers = finite(run.metrics)
    sizes = {file.path: file.size_bytes for file in run.artifacts}
    tags = {name: value for name, value in run.state.tags.items() if name.startswith(TAGS) and name not in IDENTITY}
    return SealedResult(
        job_id=job.job_id,
        benchmark=job.benchmark,
        user_id=job.user_id,
        submission_id=job.submission_id,
        run_id=run.ref.run_id,
        experiment_id=run.ref.experiment_id,
        metrics={name: value for name, value in numbers.items() if not name.startswith(PLATFORM_FIGURES)},
        figures={name: value for name, value in numbers.items() if name.startswith(PLATFORM_FIGURES)},
        params=run.params,
        method=run.params.get("method"),
        tags=tags,
        started_at=job.started_at,
        ended_at=run.ref.ended_at or job.finished_at or job.updated_at,
        files=tuple(SealedFile(path=path, size_bytes=sizes[path]) for path in chosen(sizes, MAX_SEALED_FILES)),
        sealed_from=SealedFrom.TRACKING,
    )
