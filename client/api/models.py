"""The API's answers as frozen values; fields added by a newer platform are ignored."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from client.api.rerun import Rerun


class Answer(BaseModel):
    """Base of all answers: read-only."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class StoredFile(Answer):
    """One file by its path and size."""

    path: str
    size_bytes: int


class Submission(Answer):
    """An accepted upload."""

    submission_id: str
    sha256: str
    entrypoint: str
    config_file: str
    files: tuple[StoredFile, ...]
    created_at: datetime
    duplicate_of: str | None = None
    notes: tuple[str, ...] = ()
    """In the answer to an upload: what was changed or left out while it was unpacked, in sentences."""


class SubmissionSummary(Answer):
    """A submission in a list."""

    submission_id: str
    user_id: str
    entrypoint: str
    config_file: str
    sha256: str
    created_at: datetime
    file_count: int = 0
    size_bytes: int = 0


class SubmissionPage(Answer):
    """Some submissions, newest first, and the cursor of the next page."""

    items: tuple[SubmissionSummary, ...]
    next_cursor: str | None = None


class JobState(StrEnum):
    """The states of a job; the last three are final."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the state can no longer change."""
        return self not in {JobState.PENDING, JobState.RUNNING}


class Estimate(Answer):
    """Ranges in seconds, from measured runs of the same class."""

    starts_in: tuple[int, int]
    runs_for: tuple[int, int]
    measured_runs: int = 0


class Job(Answer):
    """A job's current record."""

    job_id: str
    submission_id: str
    user_id: str
    status: JobState
    phase: str = "queued"
    benchmark: str | None = None
    resource_class: str | None = None
    attempt: int = 0
    queue_position: int | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime | None = None
    run_id: str | None = None
    failure_reason: str | None = None
    error_message: str | None = None
    device: str | None = None
    cancel_requested: bool = False
    peaks: dict[str, float | None] | None = None
    notes: tuple[str, ...] = ()
    """What of a completed run's report does not count, or counts under another name."""
    ranked: bool | None = None
    unranked_because: str | None = None
    trial: bool = False
    would_be_ranked: bool | None = None
    rerun_of: str | None = None
    notice: str | None = None
    estimate: Estimate | None = None


class JobPage(Answer):
    """Some jobs, newest first, and the cursor of the next page."""

    items: tuple[Job, ...]
    next_cursor: str | None = None


class LogPart(Answer):
    """A part of a log and the byte offset at which the next part starts."""

    job_id: str
    logs: str
    platform: tuple[tuple[int, int], ...] = ()
    """The parts of `logs` that the platform wrote: half-open ranges of code points, as `str` counts."""
    next_offset: int = 0


class Tracking(Answer):
    """Whether the run in MLflow still matches what the platform recorded; no score or rank depends on it."""

    state: str = "unknown"
    differences: tuple[str, ...] = ()

    @property
    def is_noteworthy(self) -> bool:
        """Whether the run was changed or deleted in MLflow."""
        return self.state in {"changed", "missing"}


class RecordedFile(StoredFile):
    """A file of a run, as recorded."""

    sha256: str | None = None


class Proof(Answer):
    """How the platform computed the metrics of a run."""

    scorer: str = ""
    predictions_sha256: str = ""
    labels_sha256: str = ""
    categories: dict[str, dict[str, float]] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Earlier(Answer):
    """What a result was before it was computed anew."""

    metrics: dict[str, float] = Field(default_factory=dict)
    scorer: str | None = None
    labels_sha256: str | None = None


class Results(Answer):
    """The results of a finished job, as the platform recorded them."""

    job_id: str
    run_id: str | None = None
    experiment_id: str | None = None
    mlflow_ui_url: str | None = None
    mlflow_api_url: str | None = None
    params: dict[str, str] = Field(default_factory=dict)
    metrics: dict[str, float] = Field(default_factory=dict)
    """Those that count."""
    claims: dict[str, float] = Field(default_factory=dict)
    """What the submission reported itself, where the platform computed the metrics."""
    proof: Proof | None = None
    """None if the submission reported the metrics itself."""
    earlier: tuple[Earlier, ...] = ()
    """If the metrics were computed anew: what they were at first, and the last time before."""
    artifacts: tuple[RecordedFile, ...] = ()
    """Curves, maps and logs first."""
    artifacts_total: int = 0
    """How many files there are: more than `artifacts` if that list is cut."""
    artifacts_available: bool = True
    tracking: Tracking = Tracking()
    sha256: str | None = None
    sealed_from: str | None = None
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What of the run's report does not count, or counts under another name."""
    ranked: bool | None = None
    unranked_because: str | None = None
    trial: bool = False
    would_be_ranked: bool | None = None
    rerun: Rerun | None = None
    """Whether a job that repeats another one has its result."""


class ArtifactList(Answer):
    """The files of a finished job."""

    job_id: str
    items: tuple[RecordedFile, ...]
    total: int = 0
    """How many files there are: more than `items` if that list is cut."""
    available: bool = True
