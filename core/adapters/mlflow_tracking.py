"""MLflow over its REST API (no client library: six calls are all we need); one job is one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import structlog

from core.adapters.mlflow_answers import (
    API,
    ARTIFACTS,
    JOB_TAG,
    entry_of,
    is_finished,
    is_of,
    is_run_of,
    metrics_of,
    mlflow_errors,
    params_of,
    ref_of,
    tags_of,
)
from core.adapters.mlflow_downloads import pieces
from core.adapters.mlflow_removal import remove_run
from core.adapters.mlflow_requests import figures, new_run
from core.domain.errors import NotFound, Rejected, Unavailable
from core.domain.standings import Entry
from core.ports.tracking import SITE_TAG, Artifact, ArtifactContent, RecordedRun, Result, RunRef

PAGE = 500
"""Runs in one answer: so many come within the shortest deadline, also from a busy server."""
STORED_BYTES_PER_SECOND = 10 * 1024**2
"""At least: so much longer a server may take to answer once it has the whole of a file."""
MAX_LISTED_ARTIFACTS = 1000
MAX_LISTED_FOLDERS = 200
DOWNLOADS = 32
"""At once, on connections of their own: slow receivers hold up no board."""

log = structlog.get_logger(__name__)


class MlflowTracking:
    """TrackingPort on an MLflow server. The client lives as long as its process; `close` ends it."""

    def __init__(self, uri: str, *, timeout_seconds: float = 10.0) -> None:
        self._timeout_seconds, timeout = timeout_seconds, _timeout(timeout_seconds)
        self._http = httpx2.Client(base_url=uri.rstrip("/"), timeout=timeout)
        limits = httpx2.Limits(max_connections=DOWNLOADS)
        self._downloads = httpx2.Client(base_url=uri.rstrip("/"), timeout=timeout, limits=limits)

    def close(self) -> None:
        self._http.close()
        self._downloads.close()

    def record(
        self, result: Result, *, keep_going: Callable[[], None] = lambda: None, seal: Callable[[], None] = lambda: None
    ) -> RunRef:
        experiment = self._experiment(result.job.benchmark)
        known = self._runs_of(experiment, result)
        begun = [run for run in known if not is_finished(run)]
        for run in begun:  # by an attempt that did not get to its end; its params cannot be changed any more
            keep_going()  # the search may have taken longer than a lease
            self.discard(ref_of(run).run_id)
        if begun:  # one of them may have been closed meanwhile, and is a result
            known = self._runs_of(experiment, result)
        finished = [run for run in known if is_finished(run)]
        if done := [run for run in finished if is_run_of(result, run)]:
            seal()
            return ref_of(done[0])  # the one on the board
        keep_going()
        ref = self._create_run(experiment, result)
        try:
            self._log(ref, result)
            self._upload(ref, result.artifacts, keep_going)
            seal()
        except Unavailable:
            raise
        except BaseException:  # a cancel, a lost lease, an interrupt: whatever ends it, no open run stays; raised on
            with suppress(Unavailable):
                self._remove(ref)
            raise
        self._close_run(ref, result)
        for run in finished:  # of a job of this id that the ledger does not know any more
            self.discard(ref_of(run).run_id, closed=True)
        return ref

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

    def _close_run(self, ref: RunRef, result: Result) -> None:
        finished = int((result.job.finished_at or datetime.now(UTC)).timestamp() * 1000)
        self._post("/runs/update", {"run_id": ref.run_id, "status": "FINISHED", "end_time": finished})

    def get_run(self, run_id: str) -> RecordedRun:
        run = self._get("/runs/get", {"run_id": run_id}, missing=("run", run_id))["run"]
        ref = RunRef(run_id=run_id, experiment_id=run["info"]["experiment_id"])
        return RecordedRun(
            ref=ref, params=params_of(run), metrics=metrics_of(run), artifacts=tuple(self._list_artifacts(run_id))
        )

    @contextmanager
    def artifact(self, run_id: str, path: str) -> Iterator[ArtifactContent]:
        run = self._get("/runs/get", {"run_id": run_id}, missing=("run", run_id))["run"]
        url = f"{ARTIFACTS}/{run['info']['experiment_id']}/{run_id}/artifacts/{quote(path)}"
        with mlflow_errors(), self._downloads.stream("GET", url) as answer:
            if answer.status_code in {httpx2.codes.NOT_FOUND, httpx2.codes.BAD_REQUEST}:  # not there, or a folder
                raise NotFound("artifact", path)
            if answer.is_error:
                answer.read()
            answer.raise_for_status()
            size = answer.headers.get("content-length")
            yield ArtifactContent(size_bytes=int(size) if size else None, pieces=pieces(answer))

    def entries(self, benchmark: str) -> Sequence[Entry]:
        experiment = self._experiment_named(benchmark)
        if experiment is None:
            return ()
        found: dict[str, Entry] = {}
        for run in self._search(experiment, "attributes.status = 'FINISHED'"):
            entry = entry_of(run)
            if entry and (entry.job_id not in found or entry.finished_at < found[entry.job_id].finished_at):
                found[entry.job_id] = entry  # one row per job, whatever happened while it was recorded
        return tuple(found.values())

    def check(self) -> None:
        with mlflow_errors():
            self._http.get("/health", timeout=1.5).raise_for_status()

    def _experiment(self, name: str) -> str:
        found = self._experiment_named(name)
        if found is not None:
            return found
        try:
            return str(self._post("/experiments/create", {"name": name})["experiment_id"])
        except Unavailable:  # somebody else created it a moment ago
            again = self._experiment_named(name)
            if again is None:
                raise
            return again

    def _experiment_named(self, name: str) -> str | None:
        try:
            found = self._get("/experiments/get-by-name", {"experiment_name": name}, missing=("experiment", name))
        except NotFound:
            return None
        experiment = found["experiment"]
        if experiment.get("lifecycle_stage") == "deleted":  # it would take no run, nor give its name to another
            with suppress(Rejected):  # somebody else restored it a moment ago; if not, what is done next is refused
                self._post("/experiments/restore", {"experiment_id": experiment["experiment_id"]})
        return str(experiment["experiment_id"])

    def _runs_of(self, experiment: str, result: Result) -> Sequence[Mapping[str, Any]]:
        """All runs of the job, in the order of their end."""
        found = self._search(experiment, f"tags.`{JOB_TAG}` = '{result.job.job_id}'")
        ours = [run for run in found if is_of(result.tags.get(SITE_TAG, ""), run)]
        return sorted(ours, key=lambda run: int(run["info"].get("end_time") or 0))

    def _create_run(self, experiment: str, result: Result) -> RunRef:
        created = self._post("/runs/create", new_run(experiment, result))["run"]
        return RunRef(run_id=created["info"]["run_id"], experiment_id=experiment)

    def _log(self, ref: RunRef, result: Result) -> None:
        for body in figures(ref.run_id, result):
            self._post("/runs/log-batch", body)

    def _upload(self, ref: RunRef, folder: Path | None, keep_going: Callable[[], None]) -> None:
        if folder is None:
            return
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            keep_going()
            name = path.relative_to(folder).as_posix()
            url = f"{ARTIFACTS}/{ref.experiment_id}/{ref.run_id}/artifacts/{quote(name)}"
            with mlflow_errors(), path.open("rb") as content:
                answer = self._http.put(
                    url, content=content, timeout=_timeout(self._timeout_seconds, path.stat().st_size)
                )
                if answer.status_code == httpx2.codes.BAD_REQUEST:  # a name it does not like: one file, not the run
                    log.warning("artifact refused", run_id=ref.run_id, path=name, answer=answer.text[:200])
                else:
                    answer.raise_for_status()

    def _list_artifacts(self, run_id: str) -> Iterator[Artifact]:
        folders, count, seen = [""], 0, 0
        while folders and count < MAX_LISTED_ARTIFACTS and seen < MAX_LISTED_FOLDERS:
            seen += 1
            query = {"run_id": run_id} | ({"path": folder} if (folder := folders.pop()) else {})
            for file in self._get("/artifacts/list", query).get("files", []):
                if file.get("is_dir"):
                    folders.append(file["path"])
                else:
                    count += 1
                    yield Artifact(path=file["path"], size_bytes=int(file.get("file_size", 0)))

    def _search(self, experiment: str, condition: str) -> Iterator[Mapping[str, Any]]:
        token: str | None = None
        while True:
            body = {"experiment_ids": [experiment], "filter": condition, "max_results": PAGE}
            found = self._post("/runs/search", body | ({"page_token": token} if token else {}))
            yield from found.get("runs", [])
            token = found.get("next_page_token")
            if not token:
                return

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        with mlflow_errors():
            return self._http.post(API + path, json=body).raise_for_status().json()

    def _get(self, path: str, query: Mapping[str, str], *, missing: tuple[str, str] | None = None) -> Any:
        with mlflow_errors():
            answer = self._http.get(API + path, params=query)
            if answer.status_code == httpx2.codes.NOT_FOUND and missing:
                raise NotFound(*missing)
            return answer.raise_for_status().json()


def _timeout(seconds: float, sent_bytes: int = 0) -> httpx2.Timeout:
    """For each step, and besides for storing what was sent: a server that hangs is given up after that."""
    return httpx2.Timeout(seconds, connect=min(1.5, seconds), read=seconds + sent_bytes / STORED_BYTES_PER_SECOND)
