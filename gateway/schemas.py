"""What the API answers and takes, as documented by its OpenAPI."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from core.domain.benchmark import Benchmark, Direction, Scoring
from core.domain.estimate import Estimate
from core.domain.job import JobState, Phase
from core.domain.limits import GpuPolicy
from core.domain.links import run_page
from core.domain.standings import Standing
from core.domain.user import User
from core.domain.verdict import FailureReason
from core.usecases.get_job_results import JobResults
from core.usecases.jobs import JobStanding
from core.usecases.show_leaderboard import Board

JobId = Annotated[str, Path(max_length=64)]


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class FaultView(Answer):
    field: str
    rule: str


class Problem(Answer):
    """Every error (RFC 9457); `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FaultView]
    request_id: str


class Health(Answer):
    status: str
    dependencies: dict[str, str] = {}
    folders: dict[str, str] = {}
    """Those that cannot be used, and why."""
    runners: str | None = None
    """How many take jobs; without any the API serves, and jobs wait."""


class FileView(Answer):
    path: str
    size_bytes: int


class NewJob(BaseModel):
    """What to run and how."""

    model_config = ConfigDict(extra="forbid")

    submission_id: Annotated[str, Field(max_length=64)]
    config: dict[str, Any] = {}
    """`resource_class`, `benchmark`; whatever else it holds reaches the run as overrides in /config/job.json."""


class EstimateView(Answer):
    """Seconds from and to, by runs of the same class that were measured."""

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
    rerun_of: str | None
    """The job that this one repeats on purpose."""
    notice: str | None = None
    """Why a waiting job does not start, where that is known; in its status alone."""
    estimate: EstimateView | None = None
    """When a waiting job may start and how long it may run; null where too little was measured."""

    @classmethod
    def of(cls, standing: JobStanding, notice: str | None = None, estimate: Estimate | None = None) -> Self:
        job = standing.job
        shared = {name: getattr(job, name) for name in cls.model_fields if hasattr(job, name)}
        return cls(**shared | {
            "status": job.state, "queue_position": standing.queue_position, "peaks": dict(job.peaks) or None,
            "notice": notice, "estimate": EstimateView.model_validate(estimate) if estimate else None,
        })  # fmt: skip


class JobList(Answer):
    items: list[JobView]
    next_cursor: str | None


class LogView(Answer):
    """Text of a log and the byte offset after it: ask again with it for what came since."""

    job_id: str
    logs: str
    next_offset: int


class ResultsView(Answer):
    """Empty links and figures when the job ended without a run."""

    job_id: str
    run_id: str | None
    experiment_id: str | None
    mlflow_ui_url: str | None
    mlflow_api_url: str | None
    params: dict[str, str]
    metrics: dict[str, float]
    artifacts: list[FileView]

    @classmethod
    def of(cls, results: JobResults) -> Self:
        numbers = {name: value for name, value in results.metrics.items() if math.isfinite(value)}
        return cls.model_validate(replace(results, metrics=numbers))


class ArtifactList(Answer):
    job_id: str
    items: list[FileView]


class MetricView(Answer):
    name: str
    direction: Direction
    minimum: float | None
    maximum: float | None
    unit: str | None


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


class StandingView(Answer):
    """One row; `rank` and `value` are null where the value is missing or out of bounds."""

    rank: int | None
    value: float | None
    user_id: str
    job_id: str
    submission_id: str
    run_id: str
    method: str | None
    metrics: dict[str, float]
    mine: bool
    finished_at: datetime
    mlflow_ui_url: str

    @classmethod
    def of(cls, standing: Standing, user: User, mlflow_url: str, *, shown: frozenset[str]) -> Self:
        """Only the metrics of `shown`, and of these only numbers: a run may have reported hundreds."""
        entry = standing.entry
        metrics = {name: value for name, value in entry.metrics.items() if name in shown and math.isfinite(value)}
        shared = {name: getattr(entry, name) for name in cls.model_fields if hasattr(entry, name)}
        return cls(**shared | {
            "rank": standing.rank, "value": standing.value, "mine": entry.user_id == user.user_id, "metrics": metrics,
            "mlflow_ui_url": run_page(mlflow_url, entry.experiment_id, entry.run_id),
        })  # fmt: skip


class BoardView(Answer):
    benchmark: str
    metric: str
    direction: Direction
    scoring: Scoring
    items: list[StandingView]
    total: int

    @classmethod
    def of(cls, board: Board, user: User, mlflow_url: str) -> Self:
        shown = frozenset({board.metric.name, *(metric.name for metric in board.benchmark.metrics)})
        return cls(
            benchmark=board.benchmark.name,
            metric=board.metric.name,
            direction=board.metric.direction,
            scoring=board.benchmark.scoring,
            items=[StandingView.of(standing, user, mlflow_url, shown=shown) for standing in board.standings],
            total=board.total,
        )
