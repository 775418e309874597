"""GetJobResults: where a finished job's run is recorded and what it holds (JOB-7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.errors import NotFinished
from core.domain.links import run_page, run_resource
from core.domain.user import User
from core.ports.job_status import JobStatusPort
from core.ports.tracking import Artifact, TrackingPort
from core.usecases.jobs import visible_job


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResults:
    """A run with its public links; without a run (the job failed or was cancelled) everything is empty."""

    job_id: str
    run_id: str | None = None
    experiment_id: str | None = None
    mlflow_ui_url: str | None = None
    mlflow_api_url: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    artifacts: Sequence[Artifact] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GetJobResults:
    """Raises NotFound, NotFinished, Unavailable."""

    job_status: JobStatusPort
    tracking: TrackingPort
    mlflow_url: str

    def __call__(self, user: User, job_id: str) -> JobResults:
        job = visible_job(self.job_status, user, job_id)
        if not job.is_final:
            raise NotFinished(f"This job is {job.state}; its results are there when it has ended.")
        if job.run_id is None:
            return JobResults(job_id=job_id)
        run = self.tracking.get_run(job.run_id)
        return JobResults(
            job_id=job_id,
            run_id=run.ref.run_id,
            experiment_id=run.ref.experiment_id,
            mlflow_ui_url=run_page(self.mlflow_url, run.ref.experiment_id, run.ref.run_id),
            mlflow_api_url=run_resource(self.mlflow_url, run.ref.run_id),
            params=run.params,
            metrics=run.metrics,
            artifacts=run.artifacts,
        )
