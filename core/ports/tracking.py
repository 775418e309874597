"""Where results are recorded for viewing, comparing and plotting; the ledger holds the truth about them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from core.domain.job import Job
from core.domain.metrics import RunMetrics
from core.domain.proof import Proof
from core.domain.provenance import Provenance
from core.domain.sealed_result import SealedFile, SealedResult, claimed, finite
from core.domain.tracking_state import TrackedRun


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A finished run, ready to be recorded; `artifacts` is a folder of plain files that the platform staged."""

    job: Job
    metrics: RunMetrics
    claims: Mapping[str, float] = field(default_factory=dict)
    """What the submission reported itself, where the platform computed the metrics."""
    proof: Proof | None = None
    measured: Mapping[str, float]
    """Measured by the platform: wall_seconds, cpu_seconds, memory_bytes …"""
    tags: Mapping[str, str] = field(default_factory=dict)
    provenance: Provenance | None = None
    artifacts: Path | None = None
    files: Sequence[SealedFile] = ()
    """The files in `artifacts`, with hashes; at most MAX_SEALED_FILES."""
    file_count: int | None = None
    """How many files are in `artifacts`, if known."""

    @property
    def all_metrics(self) -> dict[str, float]:
        """The metrics to record: those that count, the claims if they are others, and the `system/` figures."""
        return {**claimed(finite(self.claims)), **self.metrics.metrics, **system_figures(self)}

    def sealed_as(self, ref: RunRef) -> SealedResult:
        """The result to seal in the ledger, once it is recorded as this run."""
        return SealedResult(
            job_id=self.job.job_id,
            benchmark=self.job.benchmark,
            user_id=self.job.user_id,
            submission_id=self.job.submission_id,
            run_id=ref.run_id,
            experiment_id=ref.experiment_id,
            metrics=finite(self.metrics.metrics),
            claims=finite(self.claims),
            proof=self.proof,
            params=self.metrics.params,
            figures=finite(system_figures(self)),
            method=self.metrics.params.get("method"),
            tags=self.tags,
            provenance=self.provenance,
            started_at=self.job.started_at,
            ended_at=ref.ended_at or self.job.finished_at or self.job.updated_at,
            files=tuple(file for file in self.files if file.path not in ref.refused),
            file_count=None if self.file_count is None else self.file_count - len(ref.refused),
        )


SITE_TAG = "leadersboard.site"
"""Names the ledger of the run's job: several sites may record on one server."""
RUN_TAG = "leadersboard.run"
"""Names the run of the job: a job posted again after an older ledger was restored has another run."""


def system_figures(result: Result) -> dict[str, float]:
    """The `system/` metrics of a result: reported performance and the platform's measurements."""
    return system_figures_of(result.metrics, result.measured)


def system_figures_of(metrics: RunMetrics, measured: Mapping[str, float]) -> dict[str, float]:
    """The `system/` metrics of a report with these measurements, which no report replaces."""
    return {f"system/{name}": value for name, value in {**metrics.own_performance, **measured}.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRef:
    """Identifies a recorded run, and how its recording went."""

    run_id: str
    experiment_id: str
    ended_at: datetime | None = field(default=None, compare=False)
    """Its end as recorded at the tracking server."""
    refused: frozenset[str] = field(default=frozenset(), compare=False)
    """Files whose names the tracking server refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """One recorded file."""

    path: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactContent:
    """An open recorded file: its size if the server reports it, and its bytes, to be read once while it is open."""

    size_bytes: int | None
    pieces: Iterator[bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRun:
    """A run as the tracking server has it."""

    ref: RunRef
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    artifacts: Sequence[Artifact]
    state: TrackedRun


class TrackingPort(Protocol):
    """All methods raise Unavailable if the tracking server does not answer or refuses."""

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

        `begun` is the run that an earlier recorder of the job noted. If it is closed, of this very run of the job and
        with this very content, it is returned; else it is removed. No other run counts as the job's, whatever its tags
        say. Runs with the job's tag are removed, unless `others` names them as another job's: open ones first, closed
        ones once the new run is closed.

        `note` is called with the new run's id before anything is written into it, `keep_going` before the run is
        created and before each file, `seal` once, right before the run is closed or the earlier one is returned. If one
        of them raises, no run of this call is left. Raises Rejected if the server refuses for good.
        """
        ...

    def open_runs(self, benchmark: str, *, site: str = "") -> Mapping[str, str]:
        """Runs of this site that were begun and not closed: run id to job id."""
        ...

    def closed_runs(self, benchmark: str, *, since: datetime, site: str = "") -> Mapping[str, str]:
        """Runs of this site that are results of jobs that ended since then: run id to job id."""
        ...

    def discard(self, run_id: str, *, closed: bool = False) -> None:
        """Remove an open run with its files; nothing happens if it does not exist.

        A run that is closed by now is a result and stays, unless `closed` says that it is not a result.
        """
        ...

    def get_run(self, run_id: str) -> RecordedRun:
        """Raises NotFound."""
        ...

    def artifact(self, run_id: str, path: str) -> AbstractContextManager[ArtifactContent]:
        """One recorded file, by a checked path. Raises NotFound on entering, Unavailable also while reading."""
        ...

    def tracked(self, refs: Sequence[RunRef]) -> Mapping[str, TrackedRun]:
        """The current state of these runs by run id, deleted ones included; runs that do not exist are left out."""
        ...

    def files(self, run_id: str) -> Sequence[SealedFile]:
        """The files that the server lists for a run: at most MAX_SEALED_FILES, without hashes. Raises NotFound."""
        ...

    def rewrite(self, result: SealedResult) -> None:
        """Restore a run to its sealed result, as far as the server allows changes.

        Figures are logged once more, so that the latest value is the sealed one. Changes that cannot be undone there
        stay: other values of params, added figures and params. Raises NotFound if the run is gone for good.
        """
        ...

    def check(self) -> None:
        """Raises Unavailable if the tracking server does not answer."""
        ...
