"""What MLflow answers, as our values: a run's params, metrics, tags and state, and its refusals as our errors."""

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
"""Refusals that are not for good."""


def params_of(run: Mapping[str, Any]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in run["data"].get("params", [])}


def metrics_of(run: Mapping[str, Any]) -> dict[str, float]:
    return {item["key"]: float(item["value"]) for item in run["data"].get("metrics", [])}


def tags_of(run: Mapping[str, Any]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in run["data"].get("tags", [])}


def is_of(site: str, run: Mapping[str, Any]) -> bool:
    """Whether the run is one of this site's, as is every one that does not say whose it is."""
    return tags_of(run).get(SITE_TAG, site) == site


def is_run_of(result: Result, run: Mapping[str, Any]) -> bool:
    """Whether this run of the job records this result's run; one that does not say so does when it ended since then."""
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
    """A run as a value that can be compared."""
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
    """A time that is no valid date counts as missing."""
    try:
        end = int(run["info"].get("end_time") or 0)
        return datetime.fromtimestamp(end // 1000, UTC).replace(microsecond=end % 1000 * 1000) if end else None
    except (ValueError, OverflowError, OSError):
        return None


@contextmanager
def mlflow_errors() -> Iterator[None]:
    """Every fault of the server or of the way to it becomes Unavailable."""
    try:
        yield
    except httpx2.HTTPStatusError as error:
        detail = f"it answered {error.response.status_code}: {error.response.text[:300]}"
        for_good = error.response.is_client_error and error.response.status_code not in PASSING
        raise (Rejected if for_good else Unavailable)("The tracking server (MLflow)", detail) from error
    except (httpx2.HTTPError, ValueError, KeyError) as error:
        raise Unavailable("The tracking server (MLflow)", type(error).__name__) from error
