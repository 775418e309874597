"""Where results are recorded to be looked at, compared and plotted; the truth about them is in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from core.domain.job import Job
from core.domain.metrics import RunMetrics
from core.domain.sealed_result import SealedFile, SealedResult, finite
from core.domain.tracking_state import TrackedRun


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A finished run, ready to be recorded; `artifacts` is a folder of plain files that we staged ourselves."""

    job: Job
    metrics: RunMetrics
    measured: Mapping[str, float]
    """Our own figures: wall_seconds, cpu_seconds, memory_bytes …"""
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Path | None = None
    files: Sequence[SealedFile] = ()
    """What `artifacts` holds, with hashes; at most MAX_SEALED_FILES."""

    @property
    def all_metrics(self) -> dict[str, float]:
        """What is recorded as metrics: the reported ones, and `system/` figures."""
        return {**self.metrics.metrics, **system_figures(self)}

    def sealed_as(self, ref: RunRef) -> SealedResult:
        """What the ledger keeps of it, once it is recorded as this run."""
        return SealedResult(
            job_id=self.job.job_id,
            benchmark=self.job.benchmark,
            user_id=self.job.user_id,
            submission_id=self.job.submission_id,
            run_id=ref.run_id,
            experiment_id=ref.experiment_id,
            metrics=finite(self.metrics.metrics),
            params=self.metrics.params,
            figures=finite(system_figures(self)),
            method=self.metrics.params.get("method"),
            tags=self.tags,
            started_at=self.job.started_at,
            ended_at=ref.ended_at or self.job.finished_at or self.job.updated_at,
            files=tuple(file for file in self.files if file.path not in ref.refused),
        )


SITE_TAG = "leadersboard.site"
"""Which ledger the job of a run is in: several sites may record on one server."""
RUN_TAG = "leadersboard.run"
"""Which run of the job it records: a job that was posted again after an older ledger was restored has another one."""


def system_figures(result: Result) -> dict[str, float]:
    """The `system/` metrics of a result: what the submission reports of its performance, and what we measured."""
    return {f"system/{name}": value for name, value in {**result.metrics.own_performance, **result.measured}.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRef:
    """Where a run is found, and how its recording went."""

    run_id: str
    experiment_id: str
    ended_at: datetime | None = field(default=None, compare=False)
    """Its end as it is recorded there."""
    refused: frozenset[str] = field(default=frozenset(), compare=False)
    """Files whose names the tracking server did not take."""


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
    state: TrackedRun


class TrackingPort(Protocol):
    """All methods raise Unavailable when the tracking server does not answer or refuses."""

    def record(
        self,
        result: Result,
        *,
        begun: str | None = None,
        note: Callable[[str], None] = lambda _run_id: None,
        others: Callable[[Sequence[str]], Collection[str]] = lambda _run_ids: (),
        keep_going: Callable[[], None] = lambda: None,
        seal: Callable[[], None] = lambda: None,
    ) -> RunRef:
        """Record a result as one closed run.

        `begun` is the run that an earlier recorder of the job noted: closed, with this very content and of this very
        run it is the answer, else it goes. No other run counts as the job's, whatever its tags say; those with the
        job's tag go, open ones first and closed ones once the new one is closed, without those that `others` names as
        another job's. `note` is called with the new run's id before anything is
        written into it, `keep_going` before the run is created and before each file, `seal` once, right before the run
        is closed or the earlier one is answered. When one of them raises, no run of this call is left. Raises Rejected
        when refused for good.
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

    def tracked(self, refs: Sequence[RunRef]) -> Mapping[str, TrackedRun]:
        """What it holds of these runs now, by run id, deleted ones included; those that are not there are left out."""
        ...

    def files(self, run_id: str) -> Sequence[SealedFile]:
        """What it lists of a run's files: at most MAX_SEALED_FILES, without hashes. Raises NotFound."""
        ...

    def rewrite(self, result: SealedResult) -> None:
        """Bring a run back to its sealed result as far as it lets itself be changed.

        Figures are logged once more, so that the latest value is the sealed one. What cannot be undone there (another
        param's value, figures and params that were added) stays. Raises NotFound when the run is gone for good.
        """
        ...

    def check(self) -> None:
        """Raises Unavailable when the tracking server does not answer."""
        ...
