"""Old runs of ours on an MLflow server: found by their end time, removed with their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx2

from core.adapters.mlflow.answers import API, JOB_TAG, mlflow_errors, tags_of
from core.adapters.mlflow.removal import remove_run
from core.domain.retention import OldRun

PAGE = 500


class MlflowOldRuns:
    """OldRunsPort on an MLflow server. The client lives as long as its process; `close` ends it."""

    def __init__(self, uri: str, *, timeout_seconds: float = 30.0) -> None:
        self._http = httpx2.Client(base_url=uri.rstrip("/"), timeout=timeout_seconds)

    def close(self) -> None:
        self._http.close()

    def old_runs(self, before: datetime, *, limit: int) -> Sequence[OldRun]:
        found = []
        for run in self._search(int(before.timestamp() * 1000)):
            tags = tags_of(run)
            if tags.get(JOB_TAG) and run["info"].get("end_time"):  # runs recorded here by others are left alone
                info = run["info"]
                old = OldRun(run_id=info["run_id"], experiment_id=info["experiment_id"], job_id=tags[JOB_TAG])
                found.append(old)
            if len(found) >= limit:
                break
        return found

    def remove_run(self, run: OldRun) -> None:
        remove_run(self._http, run.experiment_id, run.run_id)

    def _search(self, before_ms: int) -> Iterator[Mapping[str, Any]]:
        for page in self._pages("/experiments/search", "experiments", {}):
            body = {
                "experiment_ids": [experiment["experiment_id"] for experiment in page],
                "filter": f"attributes.end_time < {before_ms}",
                "order_by": ["attributes.end_time ASC"],
            }
            for runs in self._pages("/runs/search", "runs", body) if page else ():
                yield from runs

    def _pages(self, path: str, what: str, body: Mapping[str, Any]) -> Iterator[Sequence[Mapping[str, Any]]]:
        token: str | None = None
        while True:
            asked = {**body, "max_results": PAGE} | ({"page_token": token} if token else {})
            with mlflow_errors():
                found = self._http.post(API + path, json=asked).raise_for_status().json()
            yield found.get(what, [])
            token = found.get("next_page_token")
            if not token:
                return
