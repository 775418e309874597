"""A ledger, folders and an MLflow in which jobs can be made old."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis

from core.adapters.files.old_files import OldFiles
from core.adapters.files.storage import FilesystemStorage
from core.adapters.mlflow.old_runs import MlflowOldRuns
from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.old_records import RedisOldRecords
from core.adapters.redis.results import RedisResults
from core.domain.errors import NotFound
from core.domain.job import Job, JobRequest, JobState, Outcome
from core.domain.limits import UploadLimits, UserLimits
from core.domain.metrics import RunMetrics
from core.domain.retention import OldRun
from core.domain.submission import Upload, UploadedFile
from core.ports.tracking import Result
from core.usecases.retention import Retention

LONG_AGO = timedelta(days=100)
ALL = 10**9


class OwnRuns(MlflowOldRuns):
    """Only of these jobs: other tests record old runs on the same server."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.jobs: set[str] = set()

    def old_runs(self, before: datetime, *, limit: int) -> Sequence[OldRun]:
        found = super().old_runs(before, limit=ALL)
        return [run for run in found if run.job_id in self.jobs][:limit]


class Site:
    """A ledger, folders and an MLflow in which jobs can be made old."""

    def __init__(self, root: Path, client: redis.Redis, mlflow_url: str, benchmark: str) -> None:
        for name in ("submissions", "logs"):
            (root / name).mkdir()
        self.root, self.client, self.benchmark = root, client, benchmark
        self.ledger = RedisJobStatus(client)
        self.tracking = MlflowTracking(mlflow_url)
        self.storage = FilesystemStorage(
            upload_root=root / "submissions", log_root=root / "logs", limits=UploadLimits(), min_free_bytes=0
        )
        self.records = RedisOldRecords(client)
        self.files = OldFiles(upload_root=root / "submissions", log_root=root / "logs")
        self.runs = OwnRuns(mlflow_url)
        self.retention = Retention(
            records=self.records, results=RedisResults(client), files=self.files, runs=self.runs, settle_seconds=0
        )

    def upload(self, user: str) -> str:
        files = [UploadedFile(name="main.py", content=io.BytesIO(b"print()"))]
        return self.storage.create_submission(Upload(user_id=user, files=files), {}).submission_id

    def pending(self, user: str, submission_id: str | None = None) -> Job:
        request = JobRequest(
            submission_id=submission_id or self.upload(user), user_id=user, resource_class="small",
            benchmark=self.benchmark,
        )  # fmt: skip
        return self.ledger.admit(request, UserLimits(jobs_per_hour=99)).job

    def ended(self, user: str, *, old: bool) -> Job:
        """A whole run, recorded and with a log; an old one ended a hundred days ago."""
        job = self.pending(user)
        claim = self.ledger.claim("small", worker="w", lease_seconds=60, running_limit=9)
        assert claim is not None
        finished = datetime.now(UTC) - (LONG_AGO if old else timedelta(0))
        artifacts = self.root / "artifacts"
        artifacts.mkdir(exist_ok=True)
        (artifacts / "roc.png").write_bytes(b"png")
        metrics = RunMetrics(params={}, metrics={"image_auc": 0.9 if old else 0.5}, performance={})
        run = Result(job=replace(claim.job, started_at=finished, finished_at=finished), metrics=metrics, measured={})
        ref = self.tracking.record(replace(run, artifacts=artifacts))
        self.ledger.finish(claim, Outcome(state=JobState.COMPLETED, run_id=ref.run_id), run.sealed_as(ref))
        self.runs.jobs.add(job.job_id)
        self.storage.log_path(job.job_id).write_text("log\n")
        if old:
            self._age(job)
        return self.ledger.get(job.job_id)

    def _age(self, job: Job) -> None:
        past = (datetime.now(UTC) - LONG_AGO).timestamp()
        self.client.hset(f"leaderboard:job:{job.job_id}", mapping={"created_at": past, "finished_at": past})
        for key in self.client.keys("leaderboard:jobs*"):
            if self.client.zscore(key, job.job_id):
                self.client.zadd(key, {job.job_id: past})
        for path in (
            self.storage.log_path(job.job_id),
            self.root / "submissions" / job.submission_id / "metadata.json",
        ):
            os.utime(path, (past, past))

    def left_of(self, job: Job) -> set[str]:
        """What is still there of a job."""
        found = set()
        with suppress(NotFound):
            found.add("record" if self.ledger.get(job.job_id) else "")
        with suppress(NotFound):
            found.add("submission" if self.storage.get_submission(job.submission_id) else "")
        found |= {"log"} if self.storage.log_path(job.job_id).exists() else set()
        entries = set(self.tracking.closed_runs(self.benchmark, since=datetime(1970, 1, 2, tzinfo=UTC)).values())
        found |= {"run"} if job.job_id in entries else set()
        listed = any(self.client.zscore(key, job.job_id) for key in self.client.keys("leaderboard:jobs*"))
        return found | ({"listed"} if listed else set())


EVERYTHING = {"record", "submission", "log", "run", "listed"}
