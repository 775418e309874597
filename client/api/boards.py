"""What the API says about benchmarks, resource classes and boards."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from client.api.models import Answer, Tracking

Direction = Literal["maximize", "minimize"]
Entries = Literal["best", "latest", "all"]
By = Literal["value", "mean_rank"]
Cost = Literal["wall_seconds", "memory_bytes", "gpu_memory_bytes", "device_seconds"]
MOST_ROWS = 200
"""Most rows of a board in one answer."""


class Metric(Answer):
    """A metric by which a benchmark ranks."""

    name: str
    direction: Direction = "maximize"
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None


class Benchmark(Answer):
    """A benchmark for which code can be submitted."""

    name: str
    title: str
    description: str = ""
    scoring: str = "reported"
    primary_metric: str
    categories: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()


class BenchmarkList(Answer):
    """All benchmarks."""

    items: tuple[Benchmark, ...]


class Weights(Answer):
    """Weights that every run finds, and what a submission writes to use them."""

    name: str
    kind: str = ""
    size_bytes: int = 0
    place: str = ""
    use: str = ""


class WeightsList(Answer):
    """All weights of the site."""

    items: tuple[Weights, ...]


class Finding(Answer):
    """One thing that is wrong in a benchmark's folder, and what to do about it."""

    path: str
    line: int | None = None
    rule: str
    is_note: bool = False

    @property
    def place(self) -> str:
        """The path below the benchmark's folder, with the line where there is one."""
        return f"{self.path}:{self.line}" if self.line else self.path


class BenchmarkCheck(Answer):
    """The condition of one benchmark, for administrators."""

    name: str
    condition: str
    """`good`, `faulty` (its data has faults), or `broken` (it takes no jobs)."""
    findings: tuple[Finding, ...] = ()
    more: int = 0
    """How many findings there are besides."""
    pictures: int = 0
    unseen: str = ""
    """Why not everything was looked at; empty if it was."""

    @property
    def is_good(self) -> bool:
        """Whether nothing must be mended; notes are no faults."""
        return self.condition == "good"


class BenchmarkCheckList(Answer):
    """The condition of each benchmark that was looked at."""

    items: tuple[BenchmarkCheck, ...] = ()


class ResourceClass(Answer):
    """The resources that a job gets."""

    name: str
    cpus: float
    memory_bytes: int
    gpus: Literal["none", "auto", "required"] = "auto"
    timeout_seconds: float
    output_bytes: int | None = None


class ResourceClassList(Answer):
    """All resource classes, and the default."""

    items: tuple[ResourceClass, ...]
    default: str


class Standing(Answer):
    """One row of a board; its rank is None if the metric is missing or out of bounds."""

    rank: int | None = None
    user_id: str
    job_id: str
    submission_id: str
    run_id: str | None = None
    method: str | None = None
    title: str = ""
    note: str = ""
    value: float | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    unranked_because: str | None = None
    disqualified: bool = False
    baseline: bool = False
    costs: dict[str, float] = Field(default_factory=dict)
    """What the platform measured, by the names of `Cost`."""
    on_front: bool = False
    """Whether no row beats this one in both value and the board's cost."""
    mine: bool = False
    is_verified: bool = False
    """Whether the platform computed the metrics itself."""
    is_rescored: bool = False
    """Whether it computed them anew, e.g. since labels had changed."""
    finished_at: datetime | None = None
    mlflow_ui_url: str | None = None
    tracking: Tracking = Tracking()


class Board(Answer):
    """The ranking of one benchmark by one metric."""

    benchmark: str
    metric: str
    direction: Direction = "maximize"
    scoring: str = "reported"
    entries: str = "best"
    category: str | None = None
    by: str = "value"
    """With `mean_rank`, values are mean ranks over the categories, and lower is better."""
    categories: tuple[str, ...] = ()
    cost: str = "wall_seconds"
    items: tuple[Standing, ...] = ()
    total: int = 0

    def row_of(self, job_id: str) -> Standing | None:
        """A job's row, if it is among these."""
        return next((row for row in self.items if row.job_id == job_id), None)


class Entry(Answer):
    """What is said about a job's entry on its board since the run has ended."""

    job_id: str
    user_id: str = ""
    benchmark: str = ""
    title: str = ""
    note: str = ""
    hidden: bool = False
    disqualified_because: str | None = None
    baseline: bool = False


class Step(Answer):
    """A job that was the best when it ended."""

    at: datetime
    value: float
    user_id: str
    job_id: str
    method: str | None = None
    title: str = ""


class History(Answer):
    """How the best score of a board grew, oldest first."""

    benchmark: str
    metric: str
    direction: Direction = "maximize"
    category: str | None = None
    items: tuple[Step, ...] = ()
