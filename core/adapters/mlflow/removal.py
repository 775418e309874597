"""Removes a run from an MLflow server, with its files."""

from __future__ import annotations

import httpx2

from core.adapters.mlflow.answers import API, ARTIFACTS, mlflow_errors


def remove_run(http: httpx2.Client, experiment_id: str, run_id: str) -> None:
    """Removes the files first: without the run they could not be found. Files that are already gone are no error."""
    with mlflow_errors():
        answer = http.delete(f"{ARTIFACTS}/{experiment_id}/{run_id}/artifacts")
        if answer.status_code != httpx2.codes.NOT_FOUND:
            answer.raise_for_status()
        http.post(f"{API}/runs/delete", json={"run_id": run_id}).raise_for_status()
