"""Results to be recorded, for the tests of the tracking port."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.domain.job import Job, JobState, Phase
from core.domain.metrics import RunMetrics
from core.ports.tracking import Result, TrackingPort

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def result_of(benchmark: str, folder: Path | None = None, *, user: str = "ann", auc: float = 0.75) -> Result:
    job = Job(
        job_id=secrets.token_hex(16), submission_id="5" * 32, user_id=user, resource_class="small", benchmark=benchmark,
        overrides={}, state=JobState.RUNNING, phase=Phase.RECORDING, attempt=1, created_at=NOW, updated_at=NOW,
        started_at=NOW, finished_at=NOW + timedelta(seconds=9),
    )  # fmt: skip
    metrics = RunMetrics(
        params={"method": "PaDiM", "epochs": "1"},
        metrics={"image_auc": auc, "weave/pixel auc": 0.5},
        performance={"training_time_seconds": 3.5},
    )
    return Result(
        job=job, metrics=metrics, measured={"wall_seconds": 8.5}, tags={"leadersboard.device": "cpu"}, artifacts=folder
    )


def recorded(tracking: TrackingPort, benchmark: str) -> Mapping[str, str]:
    """The closed runs of a benchmark, with their jobs."""
    return tracking.closed_runs(benchmark, since=NOW - timedelta(days=1))
