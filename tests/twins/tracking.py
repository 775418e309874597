"""The tracking server in memory: the twin of MlflowTracking for tests, held to the same contract."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from core.domain.errors import NotFound, Unavailable
from core.domain.sealed_result import SealedFile, SealedResult
from core.domain.tracking_state import TrackedRun, recorded_tags, same_figures
from core.ports.tracking import RUN_TAG, SITE_TAG, Artifact, ArtifactContent, RecordedRun, Result, RunRef


@dataclass
class MemoryTracking:
    """TrackingPort; `away` makes it refuse like a server that is down."""

    away: bool = False
    results: dict[str, tuple[RunRef, Result]] = field(default_factory=dict)
    begun: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Runs that were never closed, by run id: job and benchmark."""
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was changed of a run after it was recorded, by run id: fields of TrackedRun."""

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
        self.check()
        keep_going()
        job_id = result.job.job_id
        known = self.results.get(job_id)
        if (
            known
            and known[0].run_id == begun
            and known[1].tags.get(RUN_TAG) == result.tags.get(RUN_TAG)
            and same_figures(result.all_metrics, result.metrics.params, self.tracked([known[0]])[begun])
        ):
            seal()
            return known[0]
        ref = RunRef(
            run_id=secrets.token_hex(16),
            experiment_id=result.job.benchmark,
            ended_at=result.job.finished_at or datetime.now(UTC),
        )
        note(ref.run_id)
        seal()
        self.results[job_id] = (ref, result)
        return ref

    def open_runs(self, benchmark: str, *, site: str = "") -> Mapping[str, str]:
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
                state = self._run(ref, result)
                return RecordedRun(
                    ref=ref, params=state.params, metrics=state.metrics, artifacts=_files(result), state=state
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

    def tracked(self, refs: Sequence[RunRef]) -> Mapping[str, TrackedRun]:
        self.check()
        wanted = {ref.run_id for ref in refs}
        runs = (self._run(ref, result) for ref, result in self.results.values() if ref.run_id in wanted)
        return {run.run_id: run for run in runs}

    def _run(self, ref: RunRef, result: Result) -> TrackedRun:
        """As recorded, but for what a test has put into `changes`."""
        run = TrackedRun(
            run_id=ref.run_id,
            experiment_id=ref.experiment_id,
            status="FINISHED",
            is_deleted=False,
            ended_at=ref.ended_at,
            metrics=result.all_metrics,
            params=result.metrics.params,
            tags=recorded_tags(result.sealed_as(ref)),
        )
        return replace(run, **self.changes.get(ref.run_id, {}))

    def files(self, run_id: str) -> Sequence[SealedFile]:
        return tuple(SealedFile(path=one.path, size_bytes=one.size_bytes) for one in self.get_run(run_id).artifacts)

    def rewrite(self, result: SealedResult) -> None:
        self.get_run(result.run_id)
        self.changes.pop(result.run_id, None)

    def check(self) -> None:
        if self.away:
            raise Unavailable("The tracking server", "it is away")


def _files(result: Result) -> tuple[Artifact, ...]:
    folder = result.artifacts
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
    return tuple(
        Artifact(path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size) for path in found if folder
    )
