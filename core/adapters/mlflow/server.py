"""Calls to an MLflow server that several adapters share: experiments, paged searches, file listings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import httpx2

from core.adapters.mlflow.answers import API, mlflow_errors
from core.adapters.mlflow.stored_names import own_name
from core.domain.errors import NotFound, Rejected, Unavailable
from core.ports.tracking import Artifact

PAGE = 500
"""Runs per answer; even a busy server returns so many within the shortest deadline."""
STORED_BYTES_PER_SECOND = 10 * 1024**2
"""Least speed assumed when a server stores a file: it may take so much longer to answer after the last byte."""
MAX_LISTED_ARTIFACTS = 1000
MAX_LISTED_FOLDERS = 200
DOWNLOADS = 32
"""Concurrent downloads. They have their own connections, so slow clients delay no other call."""


class MlflowServer:
    """One server over HTTP. The client lives as long as its process; `close` ends it. All calls raise Unavailable."""

    def __init__(self, uri: str, *, timeout_seconds: float = 10.0) -> None:
        self._timeout_seconds, limit = timeout_seconds, time_limit(timeout_seconds)
        self._http = httpx2.Client(base_url=uri.rstrip("/"), timeout=limit)
        limits = httpx2.Limits(max_connections=DOWNLOADS)
        self._downloads = httpx2.Client(base_url=uri.rstrip("/"), timeout=limit, limits=limits)

    def close(self) -> None:
        self._http.close()
        self._downloads.close()

    def check(self) -> None:
        with mlflow_errors():
            self._http.get("/health", timeout=1.5).raise_for_status()

    def _experiment(self, name: str) -> str:
        found = self._experiment_named(name)
        if found is not None:
            return found
        try:
            return str(self._post("/experiments/create", {"name": name})["experiment_id"])
        except Unavailable:  # another process created it a moment ago
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
        if experiment.get("lifecycle_stage") == "deleted":  # a deleted experiment takes no run and keeps its name
            with suppress(Rejected):  # another process restored it a moment ago; if not, the next step is refused
                self._post("/experiments/restore", {"experiment_id": experiment["experiment_id"]})
        return str(experiment["experiment_id"])

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
                    yield Artifact(path=own_name(file["path"]), size_bytes=int(file.get("file_size", 0)))

    def _search(self, experiment: str, condition: str) -> Iterator[Mapping[str, Any]]:
        return self._pages([experiment], condition)

    def _pages(
        self, experiments: Sequence[str], condition: str, *, view: str = "ACTIVE_ONLY"
    ) -> Iterator[Mapping[str, Any]]:
        token: str | None = None
        while True:
            body = {"experiment_ids": experiments, "filter": condition, "max_results": PAGE, "run_view_type": view}
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


def time_limit(seconds: float, sent_bytes: int = 0) -> httpx2.Timeout:
    """Deadlines of each step, plus the time that storing `sent_bytes` may take; then a hanging server is given up."""
    return httpx2.Timeout(seconds, connect=min(1.5, seconds), read=seconds + sent_bytes / STORED_BYTES_PER_SECOND)
