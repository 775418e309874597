"""What MLflow answers, as our values: a run's params, metrics and board entry, and its refusals as our errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2

from core.domain.errors import Rejected, Unavailable
from core.domain.standings import Entry
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
    return RunRef(run_id=run["info"]["run_id"], experiment_id=run["info"]["experiment_id"])


def entry_of(run: Mapping[str, Any]) -> Entry | None:
    """The board's entry of a run; None for runs that somebody else put into the experiment."""
    tags = tags_of(run)
    if not all(tags.get(key) for key in (JOB_TAG, "leadersboard.user_id", "leadersboard.submission_id")):
        return None
    info = run["info"]
    return Entry(
        job_id=tags[JOB_TAG],
        submission_id=tags["leadersboard.submission_id"],
        user_id=tags["leadersboard.user_id"],
        run_id=info["run_id"],
        experiment_id=info["experiment_id"],
        method=params_of(run).get("method"),
        metrics=metrics_of(run),
        finished_at=datetime.fromtimestamp(int(info.get("end_time") or info["start_time"]) / 1000, UTC),
    )


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
