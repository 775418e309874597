"""The tracking server in memory: the twin of MlflowTracking for tests, held to the same contract."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.domain.errors import NotFound, Unavailable
from core.domain.standings import Entry
from core.ports.tracking import (
    RUN_TAG,
    SITE_TAG,
    Artifact,
    ArtifactContent,
    RecordedRun,
    Result,
    RunRef,
    system_figures,
)


@dataclass
class MemoryTracking:
    """TrackingPort; `away` makes it refuse like a server that is down."""

    away: bool = False
    results: dict[str, tuple[RunRef, Result]] = field(default_factory=dict)
    begun: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Runs that were never closed, by run id: job and benchmark."""

    def record(
        self, result: Result, *, keep_going: Callable[[], None] = lambda: None, seal: Callable[[], None] = lambda: None
    ) -> RunRef:
        self.check()
        keep_going()
        seal()
        ref = RunRef(run_id=secrets.token_hex(16), experiment_id=result.job.benchmark)
        known = self.results.get(result.job.job_id)
        if known is None or known[1].tags.get(RUN_TAG) != result.tags.get(RUN_TAG):
            self.results[result.job.job_id] = (ref, result)
        return self.results[result.job.job_id][0]

    def open_runs(self, benchmark: str, *, site: str = "") -> Mapping[str, str]:  # noqa: ARG002 it has one site
        self.check()
        return {run_id: job_id for run_id, (job_id, of) in self.begun.items() if of == benchmark}

    def closed_runs(self, benchmark: str, *, since: datetime, site: str = "") -> Mapping[str, str]:
        self.check()
        return {
            ref.run_id: job_id
            for job_id, (ref, result) in self.results.items()
            if result.job.benchmark == benchmark
            and (result.job.finished_at or since) >= since
            and result.tags.get(SITE_TAG, site) == site
        }

    def discard(self, run_id: str, *, closed: bool = False) -> None:
        self.check()
        self.begun.pop(run_id, None)
        if closed:
            self.results = {job: known for job, known in self.results.items() if known[0].run_id != run_id}

    def get_run(self, run_id: str) -> RecordedRun:
        self.check()
        for ref, result in self.results.values():
            if ref.run_id == run_id:
                return RecordedRun(
                    ref=ref, params=result.metrics.params, metrics=_metrics(result), artifacts=_files(result)
                )
        raise NotFound("run", run_id)

    @contextmanager
    def artifact(self, run_id: str, path: str) -> Iterator[ArtifactContent]:
        run = self.get_run(run_id)
        folder = next(result.artifacts for ref, result in self.results.values() if ref.run_id == run_id)
        known = next((file for file in run.artifacts if file.path == path), None)
        if known is None or folder is None:
            raise NotFound("artifact", path)
        with (folder / path).open("rb") as content:
            yield ArtifactContent(size_bytes=known.size_bytes, pieces=iter(lambda: content.read(65536), b""))

    def entries(self, benchmark: str) -> Sequence[Entry]:
        self.check()
        return tuple(_entry(ref, result) for ref, result in self.results.values() if result.job.benchmark == benchmark)

    def check(self) -> None:
        if self.away:
            raise Unavailable("The tracking server", "it is away")


def _metrics(result: Result) -> dict[str, float]:
    return {**result.metrics.metrics, **system_figures(result)}


def _files(result: Result) -> tuple[Artifact, ...]:
    folder = result.artifacts
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
    return tuple(
        Artifact(path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size) for path in found if folder
    )


def _entry(ref: RunRef, result: Result) -> Entry:
    job = result.job
    return Entry(
        job_id=job.job_id,
        submission_id=job.submission_id,
        user_id=job.user_id,
        run_id=ref.run_id,
        experiment_id=ref.experiment_id,
        method=result.metrics.params.get("method"),
        metrics=_metrics(result),
        finished_at=job.finished_at or datetime.now(UTC),
    )
