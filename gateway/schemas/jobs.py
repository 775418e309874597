"""Requests and answers about jobs, benchmarks and classes, and the base of all answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from core.domain.benchmark import Benchmark, Direction, Scoring
from core.domain.estimate import Estimate
from core.domain.job import Job, JobState, Phase
from core.domain.limits import GpuPolicy
from core.domain.verdict import FailureReason
from core.usecases.get_job_results import JobResults
from core.usecases.jobs import JobStanding

JobId = Annotated[str, Path(max_length=64)]


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Health(Answer):
    status: str
    dependencies: dict[str, str] = {}
    folders: dict[str, str] = {}
    """Unusable folders, each with the reason."""
    runners: str | None = None
    """How many runners take jobs. Without any the API still serves, and jobs wait."""


class FileView(Answer):
    path: str
    size_bytes: int


class NewJob(BaseModel):
    """What to run and how."""

    model_config = ConfigDict(extra="forbid")

    submission_id: Annotated[str, Field(max_length=64)]
    config: dict[str, Any] = {}
    """`resource_class` and `benchmark`; all other keys reach the run as overrides in /config/job.json."""
    trial: bool = False
    """Only try it: a few pictures, about a minute, nothing is recorded."""


class EstimateView(Answer):
    """Ranges in seconds (from, to), from measured runs of the same class."""

    starts_in: tuple[int, int]
    runs_for: tuple[int, int]
    measured_runs: int


class JobView(Answer):
    """Times are UTC; `queue_position` 1 is next."""

    job_id: str
    submission_id: str
    user_id: str
    status: JobState
    phase: Phase
    benchmark: str
    resource_class: str
    attempt: int
    queue_position: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    run_id: str | None
    failure_reason: FailureReason | None
    error_message: str | None
    device: str | None
    cancel_requested: bool
    peaks: dict[str, float] | None
    notes: list[str]
    """Of a completed job: what of its metrics.json does not count, or counts under another name, in sentences."""
    ranked: bool | None
    """Whether the benchmark ranked the completed run when it ended (a trial: false); null for others and older jobs."""
    unranked_because: str | None
    """Why it did not, in words, e.g. `image_auc 93.1 is out of 0..1 (percent? write 0.931)`."""
    trial: bool
    """A run on a few pictures, of which nothing is recorded."""
    would_be_ranked: bool | None
    """Of a completed trial: whether a job that reports the same would be ranked; null for others."""
    rerun_of: str | None
    """The id of the job that this one is a rerun of."""
    notice: str | None = None
    """Why a waiting job does not start, if known; only in `GET /jobs/{job_id}/status`."""
    estimate: EstimateView | None = None
    """When a waiting job may start and how long it may run; null when too few runs were measured."""

    @classmethod
    def of(cls, standing: JobStanding, notice: str | None = None, estimate: Estimate | None = None) -> Self:
        job = standing.job
        shared = {name: getattr(job, name) for name in cls.model_fields if hasattr(job, name)}
        return cls(**shared | {
            "status": job.state, "queue_position": standing.queue_position, "peaks": dict(job.peaks) or None,
            "notice": notice, **ranking(job), "estimate": EstimateView.model_validate(estimate) if estimate else None,
        })  # fmt: skip


def ranking(found: Job | JobResults) -> dict[str, bool | None]:
    """`ranked` and `would_be_ranked` of an answer: a trial is on no board."""
    if not found.trial:
        return {"ranked": found.ranked, "would_be_ranked": None}
    return {"ranked": None if found.ranked is None else False, "would_be_ranked": found.ranked}


class JobList(Answer):
    items: list[JobView]
    next_cursor: str | None


class LogView(Answer):
    """Text of a log and the byte offset after it; ask with that offset for what follows."""

    job_id: str
    logs: str
    platform: list[Annotated[list[int], Field(min_length=2, max_length=2)]] = Field(
        description="Which parts of `logs` the platform wrote, no program: half-open ranges of Unicode code points. "
        "Only this tells them apart; a program may print the same words.",
    )
    next_offset: int


class MetricView(Answer):
    name: str
    direction: Direction
    minimum: float | None
    maximum: float | None
    unit: str | None
    other_names: list[str]
    """Names that are taken for this one where a run reports them, in any case."""


class BenchmarkView(Answer):
    name: str
    title: str
    description: str
    scoring: Scoring
    primary_metric: str
    categories: list[str]
    metrics: list[MetricView]

    @classmethod
    def of(cls, benchmark: Benchmark) -> Self:
        return cls.model_validate(benchmark)


class BenchmarkList(Answer):
    items: list[BenchmarkView]


class ResourceClassView(Answer):
    name: str
    cpus: float
    memory_bytes: int
    gpus: GpuPolicy
    timeout_seconds: int
    output_bytes: int


class ResourceClassList(Answer):
    items: list[ResourceClassView]
    default: str
