"""GetJobResults: a finished job's result from the ledger, and where its run is found (JOB-7, DOR-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.domain.artifact_order import ordered
from core.domain.errors import NotFinished, Unavailable
from core.domain.job import Job, JobState
from core.domain.links import run_page, run_resource
from core.domain.proof import Earlier, Proof
from core.domain.sealed_result import SealedFile, SealedFrom, SealedResult
from core.domain.tracking_state import UNKNOWN, Tracking, TrackingState
from core.domain.user import User
from core.ports.job_status import JobStatusPort
from core.ports.results import Recorded, ResultsPort
from core.ports.tracking import TrackingPort
from core.ports.trial_files import TrialFilesPort
from core.usecases.compare_tracking import CompareRun
from core.usecases.jobs import visible_job
from core.usecases.seal_old_results import NoSource, SealOldResults

NOT_READ_YET = "the result of this job was not sealed when it ended, and MLflow, which has it, does not answer now"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResults:
    """A result with public links to its run; everything is empty if the job failed or was cancelled."""

    job_id: str
    tracking: Tracking
    run_id: str | None = None
    experiment_id: str | None = None
    mlflow_ui_url: str | None = None
    mlflow_api_url: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    claims: Mapping[str, float] = field(default_factory=dict)
    """What the submission reported itself, where the platform computed the metrics."""
    proof: Proof | None = None
    earlier: Sequence[Earlier] = ()
    """If the metrics were computed anew: what they were before."""
    artifacts: Sequence[SealedFile] = ()
    """Curves, maps and logs first; at most MAX_SEALED_FILES."""
    artifacts_total: int = 0
    """How many files the run left: more than `artifacts` if that list is cut."""
    artifacts_available: bool = False
    """Whether MLflow, which stores the files, answers now."""
    sha256: str | None = None
    sealed_from: SealedFrom | None = None
    left_out: Sequence[str] = ()
    notes: Sequence[str] = ()
    ranked: bool | None = None
    unranked_because: str | None = None
    trial: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class GetJobResults:
    """Raises NotFound, NotFinished, Unavailable (only for the ledger; the tracking server may be down).

    The result of a trial has no run: its files are kept by the platform itself.
    """

    job_status: JobStatusPort
    results: ResultsPort
    tracking: TrackingPort
    mlflow_url: str
    trial_files: TrialFilesPort

    def __call__(self, user: User, job_id: str) -> JobResults:
        job = visible_job(self.job_status, user, job_id)
        if not job.is_final:
            raise NotFinished(f"This job is {job.state}; its results are there when it has ended.")
        recorded = self.results.get(job_id) if job.state is JobState.COMPLETED else None
        if job.trial:
            return self._tried(job, recorded.result if recorded else None)
        if job.state is not JobState.COMPLETED or job.run_id is None:
            return JobResults(job_id=job_id, run_id=job.run_id, tracking=UNKNOWN)
        if recorded is None:
            return self._unsealed(job)
        return self._sealed(job, recorded)

    def _tried(self, job: Job, result: SealedResult | None) -> JobResults:
        found = JobResults(job_id=job.job_id, tracking=UNKNOWN, trial=True, ranked=job.ranked)
        if result is None:
            return found
        return replace(
            found,
            params=result.params,
            metrics=result.counted,
            artifacts=result.files,
            artifacts_total=max(result.file_count or 0, len(result.files)),
            artifacts_available=self.trial_files.are_kept(job.job_id),
            left_out=result.left_out,
            notes=job.notes,
            unranked_because=job.unranked_because,
        )

    def _sealed(self, job: Job, recorded: Recorded) -> JobResults:
        result = recorded.result
        tracking = CompareRun(tracking=self.tracking)(result)
        files = self._files(result, tracking)
        return JobResults(
            job_id=result.job_id,
            tracking=tracking,
            run_id=result.run_id,
            experiment_id=result.experiment_id,
            mlflow_ui_url=run_page(self.mlflow_url, result.experiment_id, result.run_id),
            mlflow_api_url=run_resource(self.mlflow_url, result.run_id),
            params=result.params,
            metrics=result.counted,
            claims=result.claims,
            proof=result.proof,
            earlier=result.earlier,
            artifacts=files,
            artifacts_total=max(result.file_count or 0, len(files)),
            artifacts_available=tracking.state in {TrackingState.AS_RECORDED, TrackingState.CHANGED},
            sha256=recorded.sha256,
            sealed_from=result.sealed_from,
            left_out=result.left_out,
            notes=job.notes,
            ranked=None if result.earlier else job.ranked,  # that was said of the metrics before
            unranked_because=None if result.earlier else job.unranked_because,
        )

    def _files(self, result: SealedResult, tracking: Tracking) -> Sequence[SealedFile]:
        """The files as recorded; if the list was too large for the seal, as MLflow lists them."""
        if "files" not in result.left_out or tracking.state is TrackingState.UNKNOWN:
            return result.files
        try:
            listed = {file.path: file for file in self.tracking.files(result.run_id)}
            return [listed[path] for path in ordered(listed)]
        except Unavailable:
            return ()

    def _unsealed(self, job: Job) -> JobResults:
        """The result of a job that completed before sealing existed: read from MLflow now, or why it cannot be."""
        sealing = SealOldResults(job_status=self.job_status, results=self.results, tracking=self.tracking)
        try:
            sealing.seal(job)
        except NoSource as error:
            lost = Tracking(state=TrackingState.MISSING, differences=(f"this job is not ranked: {error}",))
            return JobResults(job_id=job.job_id, run_id=job.run_id, tracking=lost)
        except Unavailable:
            later = Tracking(state=UNKNOWN.state, differences=(NOT_READ_YET,))
            return JobResults(job_id=job.job_id, run_id=job.run_id, tracking=later)
        recorded = self.results.get(job.job_id)
        if recorded is None:
            return JobResults(job_id=job.job_id, run_id=job.run_id, tracking=UNKNOWN)
        return self._sealed(job, recorded)
