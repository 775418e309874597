"""Retention on real parts: what is old goes from ledger, folders and MLflow; what is pinned, used or young stays."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import redis

from core.adapters.files.old_files import ASIDE, OldFiles
from core.adapters.files.storage import FilesystemStorage
from core.adapters.mlflow.old_runs import MlflowOldRuns
from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.old_records import PINNED, RedisOldRecords
from core.adapters.redis.results import RedisResults
from core.domain.errors import Conflict, NotFinished, NotFound, Unavailable
from core.domain.job import Job, JobRequest, JobState, Outcome
from core.domain.limits import UploadLimits, UserLimits
from core.domain.metrics import RunMetrics
from core.domain.retention import OldRun
from core.domain.submission import Upload, UploadedFile
from core.ports.tracking import Result
from core.usecases.retention import Retention

pytestmark = pytest.mark.integration

LONG_AGO = timedelta(days=100)


class OwnRuns(MlflowOldRuns):
    """Only of these jobs: other tests record old runs on the same server."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.jobs: set[str] = set()

    def old_runs(self, before: datetime, *, limit: int) -> Sequence[OldRun]:
        found = super().old_runs(before, limit=100 * limit)
        return [run for run in found if run.job_id in self.jobs]


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


@pytest.fixture
def site(tmp_path: Path, redis_client: redis.Redis, mlflow_url: str, fresh_name: str) -> Iterator[Site]:
    made = Site(tmp_path, redis_client, mlflow_url, fresh_name)
    yield made
    made.tracking.close()
    made.runs.close()


def test_with_no_days_nothing_is_old(site: Site) -> None:
    """RETENTION_DAYS=0 keeps everything, also when an admin asks for a round."""
    job = site.ended("ann", old=True)
    assert (site.retention.plan(0).is_empty, site.retention.carry_out(0).is_empty) == (True, True)
    assert site.retention.plan(90).jobs == [job.job_id]
    assert site.ledger.get(job.job_id) == job


@pytest.mark.parametrize("tagged", ["its own job", "another old job", "no job"])
def test_no_date_and_no_tag_in_mlflow_makes_a_young_result_go(site: Site, mlflow_url: str, tagged: str) -> None:
    """DOR-3: whose a run is, and how old, says the ledger; a pinned job's run that names another job stays, too."""
    young, pinned, old = site.ended("ann", old=False), site.ended("bob", old=True), site.ended("cyd", old=True)
    site.records.pin(pinned.job_id)
    tag = {"its own job": young.job_id, "another old job": old.job_id, "no job": "f" * 32}[tagged]
    site.runs.jobs.add(tag)
    for job in (young, pinned):
        for path, body in (
            ("set-tag", {"key": "leadersboard.job_id", "value": tag if job is young else old.job_id}),
            ("update", {"status": "FINISHED", "end_time": 1}),
        ):
            httpx2.post(f"{mlflow_url}/api/2.0/mlflow/runs/{path}", json={"run_id": job.run_id, **body})
    done = site.retention.carry_out(90)
    assert [run.run_id for run in done.runs] == [old.run_id]
    for job in (young, pinned):
        assert job.run_id is not None
        run = site.tracking.get_run(job.run_id)
        assert (run.state.is_deleted, [file.path for file in run.artifacts]) == (False, ["roc.png"])


def test_what_is_old_goes_with_everything_and_is_shown_before(site: Site) -> None:
    """RUN-7: submissions, logs, artifacts and records; SCO-4: the user's previous best stands again."""
    old, young, other = site.ended("ann", old=True), site.ended("ann", old=False), site.ended("bob", old=False)
    plan = site.retention.plan(90)
    assert (plan.jobs, plan.submissions, plan.logs) == ([old.job_id], [old.submission_id], [old.job_id])
    assert [run.job_id for run in plan.runs] == [old.job_id]
    assert site.left_of(old) == EVERYTHING
    done = site.retention.carry_out(90)
    assert (done.jobs, done.submissions) == ([old.job_id], [old.submission_id])
    assert site.left_of(old) == set()
    assert site.left_of(young) == site.left_of(other) == EVERYTHING
    assert old.run_id is not None
    assert site.tracking.get_run(old.run_id).artifacts == ()
    assert [item.submission_id for item in site.storage.list_submissions(user_id="ann").submissions] == [
        young.submission_id
    ]
    assert site.retention.carry_out(90).jobs == []


def test_a_pinned_job_stays_until_it_is_unpinned(site: Site) -> None:
    """RUN-7: with its record, which no longer runs out, its log, its run and its submission."""
    job = site.ended("ann", old=True)
    site.records.pin(job.job_id)
    assert site.client.ttl(f"leaderboard:job:{job.job_id}") == -1
    site.retention.carry_out(90)
    assert site.left_of(job) == EVERYTHING
    site.records.unpin(job.job_id)
    site.retention.carry_out(90)
    assert site.left_of(job) == set()
    assert site.client.scard(PINNED) == 0


def test_a_pin_that_comes_while_a_round_is_at_work_counts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was answered with 204 holds: run and log of the job stay, too."""
    job = site.ended("ann", old=True)
    look = site.records.needed_submissions

    def pinned_after_the_plan(before: datetime) -> object:
        found = look(before)
        site.records.pin(job.job_id)
        return found

    monkeypatch.setattr(site.records, "needed_submissions", pinned_after_the_plan)
    done = site.retention.carry_out(90)
    assert (done.jobs, done.logs, done.runs, done.submissions) == ([], [], [], [])
    assert site.left_of(job) == EVERYTHING


def test_a_submission_that_a_job_needs_stays(site: Site) -> None:
    """One that waits was posted with an old submission: that is not removed under it."""
    old = site.ended("ann", old=True)
    waiting = site.pending("ann2", old.submission_id)
    site.retention.carry_out(90)
    assert site.left_of(old) == {"submission"}
    assert site.left_of(waiting) == {"record", "submission", "listed"}


def test_a_submission_posted_meanwhile_is_put_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that comes between the look and the removal finds its submission again."""
    old = site.ended("ann", old=True)
    put_aside = site.files.put_aside

    def posted_meanwhile(submission_id: str) -> bool:
        site.pending("bob", submission_id)
        return put_aside(submission_id)

    monkeypatch.setattr(site.files, "put_aside", posted_meanwhile)
    assert site.retention.carry_out(90).submissions == []
    assert site.storage.get_submission(old.submission_id).submission_id == old.submission_id


def test_lists_lose_entries_whose_record_has_run_out(site: Site) -> None:
    """The ledger lets records expire by itself; nothing of them stays in any list."""
    old, young = site.ended("ann", old=True), site.ended("ann", old=False)
    site.client.delete(f"leaderboard:job:{old.job_id}")
    assert site.retention.carry_out(90).trimmed >= 8
    assert site.left_of(old) == set()
    assert site.left_of(young) == EVERYTHING


def test_only_ended_jobs_are_pinned(site: Site) -> None:
    with pytest.raises(NotFinished):
        site.records.pin(site.pending("ann").job_id)
    with pytest.raises(NotFound):
        site.records.pin("0" * 32)


def test_what_mlflow_keeps_is_not_forgotten(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that could not be removed keeps its job's record: the next round finds both."""
    old = site.ended("ann", old=True)

    def refuses(*_args: object) -> None:
        raise Unavailable("MLflow")

    with monkeypatch.context() as broken:
        broken.setattr(site.runs, "remove_run", refuses)
        site.retention.carry_out(90)
    assert {"record", "run"} <= site.left_of(old)
    site.retention.carry_out(90)
    assert site.left_of(old) == set()


def test_what_a_dead_process_put_aside_is_removed_at_the_next_round(site: Site) -> None:
    """Killed between putting it aside and removing it: nothing of it stays, in no list either."""
    old = site.ended("ann", old=True)
    site.files.put_aside(old.submission_id)
    assert site.retention.plan(90).submissions == [old.submission_id]
    assert site.retention.carry_out(90).submissions == [old.submission_id]
    assert list((site.root / "submissions" / ASIDE).iterdir()) == []
    assert site.storage.list_submissions(user_id="ann").submissions == ()


def test_what_a_dead_process_put_aside_comes_back_for_a_job_that_needs_it(site: Site) -> None:
    """Posted just before it went aside, and its process killed before it looked again."""
    old = site.ended("ann", old=True)
    site.pending("bob", old.submission_id)
    site.files.put_aside(old.submission_id)
    assert site.retention.carry_out(90).submissions == []
    assert site.storage.get_submission(old.submission_id).submission_id == old.submission_id


def test_what_is_kept_does_not_stand_before_what_goes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """More pinned jobs than a round holds: the others go all the same."""
    monkeypatch.setattr("core.usecases.retention.PER_ROUND", 1)
    *kept, old = sorted([site.ended("ann", old=True) for _job in range(3)], key=lambda job: job.submission_id)
    for job in kept:
        site.records.pin(job.job_id)
    site.retention.carry_out(90)
    assert site.left_of(old) == set()
    assert [site.left_of(job) for job in kept] == [EVERYTHING] * 2


def test_a_round_says_that_something_kept_it_from_its_work(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it is repeated before another day."""
    site.ended("ann", old=True)

    def refuses(*_args: object) -> None:
        raise Unavailable("The storage")

    with monkeypatch.context() as broken:
        broken.setattr(site.files, "remove_log", refuses)
        assert site.retention.carry_out(90).hindered
    assert not site.retention.carry_out(90).hindered


@pytest.mark.parametrize("hours", [-2, 2])
def test_nothing_is_removed_while_the_clocks_differ(site: Site, hours: int) -> None:
    """Files have their times from this machine: by a clock that is hours off, what is young may look old."""
    differing = replace(site.retention, clock_skew=lambda: 3600.0 * hours)
    with pytest.raises(Conflict, match="Nothing is removed"):
        differing.carry_out(1)


def test_where_nothing_goes_records_and_results_have_no_end(site: Site) -> None:
    """RETENTION_DAYS=0: an entry stays on its board as long as its submission is kept, which is for ever."""
    old, job = site.ended("ann", old=True), site.ended("ann", old=False)
    keys = [f"leaderboard:{kind}" for kind in (f"job:{job.job_id}", f"result:{job.job_id}", f"run:{job.run_id}")]
    assert all(site.client.ttl(key) > 0 for key in keys)
    for_ever = RedisOldRecords(site.client, for_ever=True)
    assert (for_ever.keep_all(), for_ever.keep_all()) == (2, 0)
    assert [site.client.ttl(key) for key in keys] == [-1, -1, -1]
    for_ever.pin(old.job_id)
    for_ever.unpin(old.job_id)
    assert site.left_of(old) == EVERYTHING
    done = site.retention.carry_out(90)  # and goes at its time again where it is to go
    assert done.jobs == [old.job_id]
    assert site.left_of(old) == set()
    assert site.left_of(job) == EVERYTHING
