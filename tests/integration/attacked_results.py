"""Five results in a ledger and an MLflow, and what an attacker with the whole of MLflow's API can do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.results import RedisResults
from core.domain.job import JobRequest, JobState, Outcome
from core.domain.limits import UserLimits
from core.domain.metrics import RunMetrics
from core.ports.tracking import Result, RunRef
from runner.job.record import files_of

SCORES = {"ann": 0.9, "bob": 0.8, "cyd": 0.7, "dan": 0.6, "eve": 0.5}


"""By user, best first."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A ledger and an MLflow with five results, and what an attacker with the whole of MLflow's API can do."""

    ledger: RedisJobStatus
    results: RedisResults
    tracking: MlflowTracking
    mlflow_url: str
    benchmark: str
    jobs: dict[str, str]
    refs: dict[str, RunRef]

    def job(self, user: str, score: float, *, sealed: bool = True, folder: Path | None = None) -> None:
        """As the runner ends it."""
        request = JobRequest(
            submission_id="5" * 32, user_id=user, resource_class="small", benchmark=self.benchmark, overrides={}
        )
        self.ledger.admit(request, UserLimits(jobs_per_hour=99))
        claim = self.ledger.claim("small", worker="w", lease_seconds=60, running_limit=9)
        assert claim is not None
        metrics = RunMetrics(params={"method": "PaDiM"}, metrics={"image_auc": score}, performance={})
        tags = {"leadersboard.site": self.ledger.ledger_id()}
        files = files_of(folder, lambda: None) if folder else ()
        result = Result(job=claim.job, metrics=metrics, measured={}, tags=tags, artifacts=folder, files=files)
        ref = self.tracking.record(result, note=lambda run_id: self.ledger.note_run(claim, run_id))
        outcome = Outcome(state=JobState.COMPLETED, run_id=ref.run_id)
        self.ledger.finish(claim, outcome, result.sealed_as(ref) if sealed else None)
        self.jobs[user], self.refs[user] = claim.job_id, ref

    def call(self, path: str, **body: Any) -> Any:
        answer = httpx2.post(f"{self.mlflow_url}/api/2.0/mlflow{path}", json=body, timeout=30)
        return answer.raise_for_status().json()

    def forged(self, like: str, score: float, **tags: str) -> str:
        """A finished run with all the tags of another's, and a better score."""
        run = self.tracking._get("/runs/get", {"run_id": self.refs[like].run_id})["run"]
        named = {tag["key"]: tag["value"] for tag in run["data"]["tags"]} | tags
        made = self.call(
            "/runs/create",
            experiment_id=run["info"]["experiment_id"],
            start_time=run["info"]["start_time"],
            tags=[{"key": key, "value": value} for key, value in named.items()],
        )["run"]["info"]["run_id"]
        now = int(time.time() * 1000)
        self.call("/runs/log-metric", run_id=made, key="image_auc", value=score, timestamp=now)
        self.call("/runs/update", run_id=made, status="FINISHED", end_time=now)
        return str(made)
