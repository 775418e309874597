"""Makes the MLflow calls that people's browsers need, without any of their headers, cookies or addresses."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx2

from core.adapters.mlflow.answers import API, JOB_TAG, mlflow_errors, tags_of
from core.domain.errors import Unavailable
from core.domain.tracking_call import Shows, TrackingCall
from core.ports.tracking_reads import TrackingAnswer

SECONDS = 10.0
"""Seconds that MLflow may take to begin its answer, and between two pieces of it."""
QUESTIONS = 16
"""Concurrent queries of our own about boards and runs; they never wait for slow clients."""
ANSWERS = 48
FILES = 16
"""Concurrent file downloads. They have their own connections, so slow clients delay no other answers or queries."""
ANSWER_BYTES = 64 * 1024**2
FILE_BYTES = 8 * 1024**3
FILE_SECONDS = 900.0
ANSWER_SECONDS = 60.0
PIECE = 256 * 1024
NAME_ONLY = "application/octet-stream"


class MlflowReads:
    """TrackingReadsPort on an MLflow server. Its clients live as long as its process; `close` ends them."""

    def __init__(self, uri: str, *, timeout_seconds: float = SECONDS) -> None:
        timeout = httpx2.Timeout(timeout_seconds, connect=min(timeout_seconds, 2.0))
        self._http, self._answers, self._files = (
            httpx2.Client(
                base_url=uri.rstrip("/"),
                timeout=timeout,
                limits=httpx2.Limits(max_connections=at_once),
                headers={"Accept-Encoding": "identity"},  # the answer is passed on, so it should not be compressed
                trust_env=False,
            )
            for at_once in (QUESTIONS, ANSWERS, FILES)
        )

    def close(self) -> None:
        for client in (self._http, self._answers, self._files):
            client.close()

    def experiments(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        found = {}
        for name in names:
            with mlflow_errors():
                answer = self._http.get(f"{API}/experiments/get-by-name", params={"experiment_name": name})
                if answer.status_code != httpx2.codes.NOT_FOUND:
                    experiment = answer.raise_for_status().json()["experiment"]
                    found[name] = {**experiment, "experiment_id": str(experiment["experiment_id"])}
        return found

    def runs(self, run_ids: Collection[str], experiment_ids: Collection[str]) -> Mapping[str, str | None]:
        if not run_ids or not experiment_ids:
            return {}
        listed = ", ".join(f"'{run_id}'" for run_id in run_ids if run_id.isalnum())
        body = {
            "experiment_ids": list(experiment_ids),
            "filter": f"attributes.run_id IN ({listed})",
            "run_view_type": "ACTIVE_ONLY",
            "max_results": len(run_ids),
        }
        with mlflow_errors():
            found = self._http.post(f"{API}/runs/search", json=body).raise_for_status().json().get("runs", [])
            return {run["info"]["run_id"]: tags_of(run).get(JOB_TAG) for run in found}

    @contextmanager
    def read(self, call: TrackingCall) -> Iterator[TrackingAnswer]:
        http = self._files if call.shows is Shows.FILE else self._answers
        request = http.build_request(call.method, quote(call.path), params=list(call.query), json=call.body)
        with mlflow_errors():
            answer = http.send(request, stream=True)
        try:
            if answer.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR or answer.has_redirect_location:
                raise Unavailable("The tracking server (MLflow)", f"it answered {answer.status_code}")
            size = answer.headers.get("content-length", "")
            yield TrackingAnswer(
                status=answer.status_code,
                media_type=answer.headers.get("content-type", NAME_ONLY),
                pieces=_pieces(answer, is_file=call.shows is Shows.FILE),
                size_bytes=int(size) if size.isdigit() else None,
            )
        finally:
            answer.close()


def _pieces(answer: httpx2.Response, *, is_file: bool) -> Iterator[bytes]:
    """The body, up to its limits of size and time. Raises Unavailable beyond them."""
    left = FILE_BYTES if is_file else ANSWER_BYTES
    until = time.monotonic() + (FILE_SECONDS if is_file else ANSWER_SECONDS)
    with mlflow_errors():
        for piece in answer.iter_bytes(PIECE):
            left -= len(piece)
            if left < 0 or time.monotonic() > until:
                raise Unavailable("The tracking server (MLflow)", "this answer is too long or takes too long")
            yield piece
