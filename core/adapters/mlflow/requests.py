"""A result as MLflow requests: the body that creates its run, and those with its figures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from core.adapters.mlflow.answers import JOB_TAG, metrics_of, tags_of
from core.domain.sealed_result import SealedResult
from core.domain.tracking_state import TrackedRun, recorded_tags
from core.ports.tracking import Result

BATCH = 900
"""MLflow accepts 1000 metrics, params and tags per request."""
PARAM_BATCH = 100
LAST = 2**63 - 1


def new_run(experiment: str, result: Result) -> Mapping[str, Any]:
    """An open run, with tags for its origin."""
    job = result.job
    tags = {
        JOB_TAG: job.job_id,
        "leadersboard.user_id": job.user_id,
        "leadersboard.submission_id": job.submission_id,
        "leadersboard.benchmark": job.benchmark,
        "mlflow.user": job.user_id,
        "mlflow.source.name": "leadersboard",
        **result.tags,
        **(result.provenance.tags if result.provenance else {}),
    }
    return {
        "experiment_id": experiment,
        "run_name": f"{job.user_id} {job.job_id[:8]}",
        "start_time": int((job.started_at or job.created_at).timestamp() * 1000),
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }


def figures(run_id: str, result: Result) -> Iterator[Mapping[str, Any]]:
    """Metrics and params, in bodies within MLflow's limits."""
    now = int(time.time() * 1000)
    metrics = [{"key": key, "value": value, "timestamp": now, "step": 0} for key, value in result.all_metrics.items()]
    params = [{"key": key, "value": value} for key, value in result.metrics.params.items()]
    for start in range(0, max(len(metrics), 1), BATCH):
        body = {"run_id": run_id, "metrics": metrics[start : start + BATCH]}
        yield body | ({"params": params[:PARAM_BATCH]} if start == 0 else {})
    for start in range(PARAM_BATCH, len(params), PARAM_BATCH):
        yield {"run_id": run_id, "params": params[start : start + PARAM_BATCH]}


def repairs(result: SealedResult, run: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Metrics and tags of a run that differ from the sealed result, in bodies within MLflow's limits.

    A metric's history only grows. MLflow's latest value is the one with the greatest step, then the latest time, so the
    sealed value is logged with that step and a later time. If both are at their maximum, no later value is possible.
    """
    found, tags_found = metrics_of(run), tags_of(run)
    latest = {item["key"]: item for item in run["data"].get("metrics", [])}
    metrics = [
        {"key": key, "value": value, **_after(latest.get(key, {}))}
        for key, value in result.all_metrics.items()
        if found.get(key) != value
    ]
    tags = [
        {"key": key, "value": value} for key, value in recorded_tags(result).items() if tags_found.get(key) != value
    ]
    for start in range(0, max(len(metrics), 1), BATCH):
        body = {"run_id": result.run_id, "metrics": metrics[start : start + BATCH]}
        yield body | ({"tags": tags[:PARAM_BATCH]} if start == 0 else {})


def _after(latest: Mapping[str, Any]) -> dict[str, int]:
    now = int(time.time() * 1000)
    timestamp = min(max(now, int(latest.get("timestamp", 0)) + 1), LAST)
    return {"timestamp": timestamp, "step": int(latest.get("step", 0))}


def lost_params(result: SealedResult, run: TrackedRun) -> Iterator[Mapping[str, Any]]:
    """Params that the run lacks, each in a body of its own, so that a refused one does not prevent the others."""
    if not {"params", "long params"} & set(result.left_out):
        for key, value in result.params.items():
            if key not in run.params:
                yield {"run_id": result.run_id, "key": key, "value": value}
