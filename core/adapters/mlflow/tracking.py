"""MLflow over its REST API (without its client library, since six calls suffice); one job is one run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import structlog

from core.adapters.files_below import files_below
from core.adapters.mlflow.answers import (
    ARTIFACTS,
    JOB_TAG,
    is_finished,
    is_of,
    is_run_of,
    metrics_of,
    mlflow_errors,
    params_of,
    ref_of,
    tags_of,
    tracked_run,
)
from core.adapters.mlflow.downloads import pieces
from core.adapters.mlflow.removal import remove_run
from core.adapters.mlflow.requests import figures, lost_params, new_run, repairs
from core.adapters.mlflow.server import MlflowServer, time_limit
from core.adapters.mlflow.stored_names import stored_name
from core.domain.errors import NotFound, Rejected, Unavailable
from core.domain.sealed_result import SealedFile, SealedResult
from core.domain.tracking_state import TrackedRun, same_figures
from core.ports.tracking import SITE_TAG, ArtifactContent, RecordedRun, Result, RunRef

IDS = 200
"""Runs named in one search."""

log = structlog.get_logger(__name__)


class MlflowTracking(MlflowServer):
    """TrackingPort on an MLflow server."""

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
        experiment = self._experiment(result.job.benchmark)
        if begun and (done := self._done(begun, result, keep_going)):
            seal()
            return done
        earlier = self._clear(experiment, result, others, keep_going)
        keep_going()
        ref = self._create_run(experiment, result)
        try:
            note(ref.run_id)
            self._log(ref, result)
            refused = self._upload(ref, result.artifacts, keep_going)
            seal()
        except Unavailable:
            raise
        except BaseException:  # cancel, lost lease, interrupt: leave no open run, and raise again
            with suppress(Unavailable):
                self._remove(ref)
            raise
        ended_at = self._close_run(ref, result)
        for run_id in earlier:
            self.discard(run_id, closed=True)
        return replace(ref, ended_at=ended_at, refused=refused)

    def _done(self, begun: str, result: Result, keep_going: Callable[[], None]) -> RunRef | None:
        """The run that an earlier recorder noted, if it is closed with exactly this content; else it is removed."""
        for _look in range(2):  # a slow recorder may close it between two questions
            run = self._found(begun)
            if run is None:
                return None
            same = same_figures(result.all_metrics, result.metrics.params, tracked_run(run))
            if is_finished(run) and is_run_of(result, run) and same:
                return ref_of(run)
            keep_going()  # the questions may have taken longer than a lease
            self.discard(begun, closed=is_finished(run))
        return None

    def _clear(
        self,
        experiment: str,
        result: Result,
        others: Callable[[Sequence[str]], Collection[str]],
        keep_going: Callable[[], None],
    ) -> Sequence[str]:
        """Remove the job's open runs whose recorders died before noting them. Returns closed runs to be removed later.

        Those closed runs are of an earlier job with this id that the ledger no longer knows. Tags prove nothing, so
        runs that `others` names as another job's stay.
        """
        found = {ref_of(run).run_id: is_finished(run) for run in self._runs_of(experiment, result)}
        spared = others(list(found)) if found else ()
        mine = {run_id: finished for run_id, finished in found.items() if run_id not in spared}
        for run_id in [run_id for run_id, finished in mine.items() if not finished]:
            keep_going()
            self.discard(run_id)
        return [run_id for run_id, finished in mine.items() if finished]

    def _found(self, run_id: str) -> Mapping[str, Any] | None:
        """The run, or None if it was deleted or never existed."""
        try:
            run: Mapping[str, Any] = self._get("/runs/get", {"run_id": run_id}, missing=("run", run_id))["run"]
        except (NotFound, Rejected):
            return None
        return None if tracked_run(run).is_deleted else run

    def open_runs(self, benchmark: str, *, site: str = "") -> Mapping[str, str]:
        return self._jobs_of(benchmark, "attributes.status = 'RUNNING'", site)

    def closed_runs(self, benchmark: str, *, since: datetime, site: str = "") -> Mapping[str, str]:
        ended = f"attributes.end_time > {int(since.timestamp() * 1000)}"
        return self._jobs_of(benchmark, f"attributes.status = 'FINISHED' and {ended}", site)

    def _jobs_of(self, benchmark: str, condition: str, site: str) -> Mapping[str, str]:
        experiment = self._experiment_named(benchmark)
        found = self._search(experiment, condition) if experiment else ()
        jobs = {run["info"]["run_id"]: tags_of(run).get(JOB_TAG) for run in found if is_of(site, run)}
        return {run_id: job_id for run_id, job_id in jobs.items() if job_id}

    def discard(self, run_id: str, *, closed: bool = False) -> None:
        with suppress(NotFound, Rejected):
            run = self._get("/runs/get", {"run_id": run_id}, missing=("run", run_id))["run"]
            if closed or not is_finished(run):
                self._remove(ref_of(run))

    def _remove(self, ref: RunRef) -> None:
        remove_run(self._http, ref.experiment_id, ref.run_id)

    def _close_run(self, ref: RunRef, result: Result) -> datetime:
        end = result.job.finished_at or datetime.now(UTC)
        milliseconds = int(end.timestamp() * 1000)
        self._post("/runs/update", {"run_id": ref.run_id, "status": "FINISHED", "end_time": milliseconds})
        return end

    def get_run(self, run_id: str) -> RecordedRun:
        run = self._get("/runs/get", {"run_id": run_id}, missing=("run", run_id))["run"]
        return RecordedRun(
            ref=ref_of(run),
            params=params_of(run),
            metrics=metrics_of(run),
            artifacts=tuple(self._list_artifacts(run_id)),
            state=tracked_run(run),
        )

    @contextmanager
    def artifact(self, run_id: str, path: str) -> Iterator[ArtifactContent]:
        run = self._get("/runs/get", {"run_id": run_id}, missing=("run", run_id))["run"]
        url = f"{ARTIFACTS}/{run['info']['experiment_id']}/{run_id}/artifacts/{quote(stored_name(path))}"
        with mlflow_errors(), self._downloads.stream("GET", url) as answer:
            if answer.status_code in {httpx2.codes.NOT_FOUND, httpx2.codes.BAD_REQUEST}:  # not there, or a folder
                raise NotFound("artifact", path)
            if answer.is_error:
                answer.read()
            answer.raise_for_status()
            size = answer.headers.get("content-length")
            yield ArtifactContent(size_bytes=int(size) if size else None, pieces=pieces(answer))

    def tracked(self, refs: Sequence[RunRef]) -> Mapping[str, TrackedRun]:
        experiments = sorted({ref.experiment_id for ref in refs})
        found: dict[str, TrackedRun] = {}
        for start in range(0, len(refs), IDS):
            ids = ", ".join(f"'{ref.run_id}'" for ref in refs[start : start + IDS] if ref.run_id.isalnum())
            if ids:
                runs = self._pages(experiments, f"attributes.run_id IN ({ids})", view="ALL")
                found |= {run.run_id: run for run in map(tracked_run, runs)}
        return found

    def files(self, run_id: str) -> Sequence[SealedFile]:
        return tuple(SealedFile(path=one.path, size_bytes=one.size_bytes) for one in self._list_artifacts(run_id))

    def rewrite(self, result: SealedResult) -> None:
        run_id = result.run_id
        run = self._get("/runs/get", {"run_id": run_id}, missing=("run", run_id))["run"]
        if tracked_run(run).is_deleted:
            self._post("/runs/restore", {"run_id": run_id})
        for body in repairs(result, run):
            self._post("/runs/log-batch", body)
        for param in lost_params(result, tracked_run(run)):
            with suppress(Rejected):  # it has another value there, which MLflow never changes
                self._post("/runs/log-parameter", param)
        end = int(result.ended_at.timestamp() * 1000)
        self._post("/runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": end})

    def _runs_of(self, experiment: str, result: Result) -> Sequence[Mapping[str, Any]]:
        """All runs of the job, ordered by their end."""
        found = self._search(experiment, f"tags.`{JOB_TAG}` = '{result.job.job_id}'")
        ours = [run for run in found if is_of(result.tags.get(SITE_TAG, ""), run)]
        return sorted(ours, key=lambda run: int(run["info"].get("end_time") or 0))

    def _create_run(self, experiment: str, result: Result) -> RunRef:
        created = self._post("/runs/create", new_run(experiment, result))["run"]
        return RunRef(run_id=created["info"]["run_id"], experiment_id=experiment)

    def _log(self, ref: RunRef, result: Result) -> None:
        for body in figures(ref.run_id, result):
            self._post("/runs/log-batch", body)

    def _upload(self, ref: RunRef, folder: Path | None, keep_going: Callable[[], None]) -> frozenset[str]:
        """Upload the files. Returns the names that the server refused."""
        refused: set[str] = set()
        if folder is None:
            return frozenset()
        for path in files_below(folder):
            keep_going()
            name = path.relative_to(folder).as_posix()
            url = f"{ARTIFACTS}/{ref.experiment_id}/{ref.run_id}/artifacts/{quote(stored_name(name))}"
            with mlflow_errors(), path.open("rb") as content:
                answer = self._http.put(
                    url, content=content, timeout=time_limit(self._timeout_seconds, path.stat().st_size)
                )
                if answer.status_code == httpx2.codes.BAD_REQUEST:  # a refused name: leave out this file, keep the run
                    log.warning("artifact refused", run_id=ref.run_id, path=name, answer=answer.text[:200])
                    refused.add(name)
                else:
                    answer.raise_for_status()
        return frozenset(refused)
