"""Where results are recorded and boards are read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from core.domain.job import Job
from core.domain.metrics import RunMetrics
from core.domain.standings import Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A finished run, ready to be recorded; `artifacts` is a folder of plain files that we staged ourselves."""

    job: Job
    metrics: RunMetrics
    measured: Mapping[str, float]
    """Our own figures: wall_seconds, cpu_seconds, memory_bytes …"""
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Path | None = None


SITE_TAG = "leadersboard.site"
"""Which ledger the job of a run is in: several sites may record on one server."""
RUN_TAG = "leadersboard.run"
"""Which run of the job it records: a job that was posted again after an older ledger was restored has another one."""
OURS = frozenset({"memory_bytes", "cpu_seconds", "pids", "wall_seconds", "log_bytes", "output_bytes", "output_files"})
"""What we measure ourselves; where we could not, a submission's word does not stand in for it."""


def system_figures(result: Result) -> dict[str, float]:
    """The `system/` metrics of a result: what the submission reports of its performance, and what we measured."""
    reported = {name: value for name, value in result.metrics.performance.items() if name not in OURS}
    return {f"system/{name}": value for name, value in {**reported, **result.measured}.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRef:
    """Where a run is found."""

    run_id: str
    experiment_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """One recorded file."""

    path: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactContent:
    """A recorded file, open: its size where the server tells it, and its bytes, read once while it is open."""

    size_bytes: int | None
    pieces: Iterator[bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRun:
    """What the tracking server holds of a run."""

    ref: RunRef
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    artifacts: Sequence[Artifact]


class TrackingPort(Protocol):
    """All methods raise Unavailable when the tracking server does not answer or refuses."""

    def record(
        self, result: Result, *, keep_going: Callable[[], None] = lambda: None, seal: Callable[[], None] = lambda: None
    ) -> RunRef:
        """Record a result as one closed run; a job that has a closed one of this very run already keeps it as it is.

        What else was begun for the job goes. `keep_going` is called before the run is created and before each file,
        `seal` once, right before the run is closed or an earlier one is answered. When one of them raises, no run of
        this call is left. Raises Rejected when refused for good.
        """
        ...

    def open_runs(self, benchmark: str, *, site: str = "") -> Mapping[str, str]:
        """Runs of this site that were begun and not closed, by run id: of which job each is."""
        ...

    def closed_runs(self, benchmark: str, *, since: datetime, site: str = "") -> Mapping[str, str]:
        """Runs of this site that are results, of jobs that ended since then, by run id: of which job each is."""
        ...

    def discard(self, run_id: str, *, closed: bool = False) -> None:
        """Remove an open run with its files; one that is not there is no error.

        One that is closed by now is a result and stays, unless `closed` says that it is none all the same.
        """
        ...

    def get_run(self, run_id: str) -> RecordedRun:
        """Raises NotFound."""
        ...

    def artifact(self, run_id: str, path: str) -> AbstractContextManager[ArtifactContent]:
        """One recorded file by a path that was checked. Raises NotFound on entering, Unavailable also while reading."""
        ...

    def entries(self, benchmark: str) -> Sequence[Entry]:
        """All finished runs of a benchmark; empty when there is none yet."""
        ...

    def check(self) -> None:
        """Raises Unavailable when the tracking server does not answer."""
        ...
