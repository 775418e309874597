"""All requests that can write to MLflow 3.17, for an experiment and a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

METHODS = ("POST", "PUT", "PATCH", "DELETE")
PREFIXES = ("/api/2.0/mlflow", "/ajax-api/2.0/mlflow", "/api/2.0/preview/mlflow", "/api/3.0/mlflow")
NAMES = (
    "runs/create", "runs/update", "runs/delete", "runs/restore", "runs/log-metric", "runs/log-parameter",
    "runs/log-batch",
    "runs/log-model", "runs/log-inputs", "runs/outputs", "runs/set-tag", "runs/delete-tag", "runs/create-promptlab-run",
    "runs/search", "runs/get", "experiments/create", "experiments/update", "experiments/delete", "experiments/restore",
    "experiments/set-experiment-tag", "experiments/delete-experiment-tag", "experiments/search", "upload-artifact",
    "logged-models", "registered-models/create", "registered-models/rename",
    "registered-models/update", "registered-models/delete", "registered-models/set-tag", "registered-models/alias",
    "model-versions/create", "model-versions/update", "model-versions/delete", "model-versions/transition-stage",
    "model-versions/set-tag", "artifacts/presigned-upload-url", "traces", "gateway-proxy", "webhooks",
    "users/create", "users/update-password", "users/update-admin", "assistant/message", "assistant/config",
    "datasets/create", "scorers/register", "gateway/secrets/create", "jobs/", "genai/evaluate/invoke", "workspaces",
)  # fmt: skip


def writes(experiment_id: str, run_id: str) -> Iterator[tuple[str, str, Any]]:
    """Method, path and body of each request."""
    body = {
        "run_id": run_id, "run_uuid": run_id, "experiment_id": experiment_id, "key": "image_auc", "value": 1.0,
        "timestamp": 1, "step": 99, "status": "FAILED", "run_name": "taken", "new_name": "taken", "name": "taken",
        "metrics": [{"key": "image_auc", "value": 1.0, "timestamp": 1, "step": 99}],
    }  # fmt: skip
    for prefix in PREFIXES:
        for name in NAMES:
            for method in METHODS if prefix == PREFIXES[1] else ("POST",):
                yield method, f"{prefix}/{name}", body
    for method in METHODS:
        for place in ("api", "ajax-api"):
            yield method, f"/{place}/2.0/mlflow-artifacts/artifacts/{experiment_id}/{run_id}/artifacts/notes.txt", body
            yield method, f"/{place}/2.0/mlflow-artifacts/artifacts/{experiment_id}/{run_id}/artifacts", body
            yield method, f"/{place}/2.0/mlflow-artifacts/mpu/create/{experiment_id}/{run_id}/artifacts/x", body
        yield method, "/graphql", {"query": 'mutation { testMutation(inputString: "x") { output } }'}
        yield method, "/v1/traces", body
        yield method, "/gateway/x/mlflow/invocations", body
        yield method, "/", body
