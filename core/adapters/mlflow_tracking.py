"""MLflow over its REST API (no client library: six calls are all we need); one job is one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import structlog

from core.adapters.mlflow_answers import JOB_TAG, entry_of, job_of, metrics_of, mlflow_errors, params_of
from core.domain.errors import NotFound, Rejected, Unavailable
from core.domain.standings import Entry
from core.ports.tracking import Artifact, ArtifactContent, RecordedRun, Result, RunRef, system_figures

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
BATCH = 900
"""MLflow takes 1000 metrics, params and tags together."""
PARAM_BATCH = 100
PAGE = 500
"""Runs in one answer: so many come within the shortest deadline, also from a busy server."""
STORED_BYTES_PER_SECOND = 10 * 1024**2
"""At least: so much longer a server may take to answer once it has the whole of a file."""
MAX_LISTED_ARTIFACTS = 1000
MAX_LISTED_FOLDERS = 200
DOWNLOADS = 32
"""At once, on connections of their own: slow receivers hold up no board."""
DOWNLOAD_SECONDS = 900.0
DOWNLOAD_BYTES = 8 * 1024**3
PIECE = 256 * 1024

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

    def record(self, result: Result, *, keep_going: Callable[[], None] = lambda: None) -> RunRef:
        experiment = self._experiment(result.job.benchmark)
        earlier = self._find_run(experiment, result.job.job_id)
        if earlier is not None and earlier["info"]["status"] == "FINISHED":
            return RunRef(run_id=earlier["info"]["run_id"], experiment_id=experiment)
        if (
            earlier is not None
        ):  # begun by an attempt that did not get to its end; its params cannot be changed any more
            keep_going()  # the search may have taken longer than a lease
            self._delete_run(earlier["info"]["run_id"])
        keep_going()
        ref = self._create_run(experiment, result)
        try:
            self._log(ref, result)
            self._upload(ref, result.artifacts, keep_going)
            keep_going()
        except Unavailable:
            raise
        except BaseException:  # a cancel, a lost lease, an interrupt: whatever ends it, no open run stays; raised on
            with suppress(Unavailable):
                self._delete_run(ref.run_id)
            raise
        self._close_run(ref, result)
        return ref

    def open_runs(self, benchmark: str) -> Mapping[str, str]:
        experiment = self._experiment_named(benchmark)
        found = self._search(experiment, "attributes.status = 'RUNNING'") if experiment else ()
        return {run["info"]["run_id"]: job_id for run in found if (job_id := job_of(run))}

    def discard(self, run_id: str) -> None:
        with suppress(NotFound, Rejected):
            run = self._get("/runs/get", {"run_id": run_id}, missing=("run", run_id))["run"]
            if run["info"]["status"] != "FINISHED":
                self._delete_run(run_id)

    def _delete_run(self, run_id: str) -> None:
        self._post("/runs/delete", {"run_id": run_id})

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
            yield ArtifactContent(size_bytes=int(size) if size else None, pieces=_pieces(answer))

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
        experiment = str(found["experiment"]["experiment_id"])
        if (
            found["experiment"].get("lifecycle_stage") == "deleted"
        ):  # it would take no run, nor give its name to another
            self._post("/experiments/restore", {"experiment_id": experiment})
        return experiment

    def _find_run(self, experiment: str, job_id: str) -> Mapping[str, Any] | None:
        return next(self._search(experiment, f"tags.`{JOB_TAG}` = '{job_id}'"), None)

    def _create_run(self, experiment: str, result: Result) -> RunRef:
        job = result.job
        tags = {
            JOB_TAG: job.job_id,
            "leadersboard.user_id": job.user_id,
            "leadersboard.submission_id": job.submission_id,
            "leadersboard.benchmark": job.benchmark,
            "mlflow.user": job.user_id,
            "mlflow.source.name": "leadersboard",
            **result.tags,
        }
        body = {
            "experiment_id": experiment,
            "run_name": f"{job.user_id} {job.job_id[:8]}",
            "start_time": int((job.started_at or job.created_at).timestamp() * 1000),
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        created = self._post("/runs/create", body)["run"]
        return RunRef(run_id=created["info"]["run_id"], experiment_id=experiment)

    def _log(self, ref: RunRef, result: Result) -> None:
        system = system_figures(result)
        now = int(time.time() * 1000)
        metrics = [
            {"key": key, "value": value, "timestamp": now, "step": 0}
            for key, value in {**result.metrics.metrics, **system}.items()
        ]
        params = [{"key": key, "value": value} for key, value in result.metrics.params.items()]
        for start in range(0, max(len(metrics), 1), BATCH):
            body = {"run_id": ref.run_id, "metrics": metrics[start : start + BATCH]}
            self._post("/runs/log-batch", body | ({"params": params[:PARAM_BATCH]} if start == 0 else {}))

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


def _pieces(answer: httpx2.Response) -> Iterator[bytes]:
    """The body, as long as it keeps to the bounds."""
    until, left = time.monotonic() + DOWNLOAD_SECONDS, DOWNLOAD_BYTES
    with mlflow_errors():
        for piece in answer.iter_bytes(PIECE):
            left -= len(piece)
            if left < 0 or time.monotonic() > until:
                raise Unavailable("The tracking server (MLflow)", "this file takes too long")
            yield piece
