"""Converts MLflow's answers into our values (a run's params, metrics, tags, state) and its refusals into our errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2

from core.domain.errors import Rejected, Unavailable
from core.domain.tracking_state import TrackedRun
from core.ports.tracking import RUN_TAG, SITE_TAG, Result, RunRef

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
JOB_TAG = "leadersboard.job_id"
PASSING = {httpx2.codes.REQUEST_TIMEOUT, httpx2.codes.TOO_MANY_REQUESTS}
"""Client errors that may pass, so a later try can succeed."""


def params_of(run: Mapping[str, Any]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in run["data"].get("params", [])}


def metrics_of(run: Mapping[str, Any]) -> dict[str, float]:
    return {item["key"]: float(item["value"]) for item in run["data"].get("metrics", [])}


def tags_of(run: Mapping[str, Any]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in run["data"].get("tags", [])}


def is_of(site: str, run: Mapping[str, Any]) -> bool:
    """Whether the run belongs to this site; a run without a site tag does."""
    return tags_of(run).get(SITE_TAG, site) == site


def is_run_of(result: Result, run: Mapping[str, Any]) -> bool:
    """Whether this MLflow run records this result's run. Without a run tag: if it ended since the job's creation."""
    wanted, found = result.tags.get(RUN_TAG), tags_of(run).get(RUN_TAG)
    if wanted is None or found is not None:
        return wanted is None or found == wanted
    return int(run["info"].get("end_time") or 0) >= result.job.created_at.timestamp() * 1000


def is_finished(run: Mapping[str, Any]) -> bool:
    return bool(run["info"]["status"] == "FINISHED")


def ref_of(run: Mapping[str, Any]) -> RunRef:
    info = run["info"]
    return RunRef(run_id=info["run_id"], experiment_id=str(info["experiment_id"]), ended_at=ended_at(run))


def tracked_run(run: Mapping[str, Any]) -> TrackedRun:
    """A run as a value for comparison."""
    info = run["info"]
    return TrackedRun(
        run_id=info["run_id"],
        experiment_id=str(info["experiment_id"]),
        status=info["status"],
        is_deleted=info.get("lifecycle_stage") == "deleted",
        ended_at=ended_at(run),
        metrics=metrics_of(run),
        params=params_of(run),
        tags=tags_of(run),
    )


def ended_at(run: Mapping[str, Any]) -> datetime | None:
    """The run's end; None if it is missing or no valid date."""
    try:
        end = int(run["info"].get("end_time") or 0)
        return datetime.fromtimestamp(end // 1000, UTC).replace(microsecond=end % 1000 * 1000) if end else None
    except (ValueError, OverflowError, OSError):
        return None


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Turns every failure of the server or the connection into Unavailable."""
    try:
        yield
    except httpx2.HTTPStatusError as error:
        detail = f"it answered {error.response.status_code}: {error.response.text[:300]}"
        for_good = error.response.is_client_error and error.response.status_code not in PASSING
        raise (Rejected if for_good else Unavailable)("The tracking server (MLflow)", detail) from error
    except (httpx2.HTTPError, ValueError, KeyError) as error:
        raise Unavailable("The tracking server (MLflow)", type(error).__name__) from error
