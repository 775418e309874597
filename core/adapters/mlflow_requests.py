"""A result as MLflow is told of it: the body that begins its run, and those that hold its figures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from core.adapters.mlflow_answers import JOB_TAG
from core.ports.tracking import Result, system_figures

BATCH = 900
"""MLflow takes 1000 metrics, params and tags together."""
PARAM_BATCH = 100


def new_run(experiment: str, result: Result) -> Mapping[str, Any]:
    """An open run with everything that tells where it came from."""
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
    return {
        "experiment_id": experiment,
        "run_name": f"{job.user_id} {job.job_id[:8]}",
        "start_time": int((job.started_at or job.created_at).timestamp() * 1000),
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }


def figures(run_id: str, result: Result) -> Iterator[Mapping[str, Any]]:
    """Metrics and params, in bodies that MLflow takes."""
    now = int(time.time() * 1000)
    metrics = [
        {"key": key, "value": value, "timestamp": now, "step": 0}
        for key, value in {**result.metrics.metrics, **system_figures(result)}.items()
    ]
    params = [{"key": key, "value": value} for key, value in result.metrics.params.items()]
    for start in range(0, max(len(metrics), 1), BATCH):
        body = {"run_id": run_id, "metrics": metrics[start : start + BATCH]}
        yield body | ({"params": params[:PARAM_BATCH]} if start == 0 else {})
