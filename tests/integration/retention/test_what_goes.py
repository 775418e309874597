"""Retention on real parts: what is old goes from ledger, folders and MLflow; what is pinned, used or young stays."""

from __future__ import annotations

import uuid
from datetime import datetime

import httpx2
import pytest

from core.adapters.redis.old_records import PINNED, RedisOldRecords
from core.domain.errors import NotFinished, NotFound
from tests.integration.retention.site import EVERYTHING, Site

pytestmark = pytest.mark.integration


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
    tag = {"its own job": young.job_id, "another old job": old.job_id, "no job": uuid.uuid4().hex}[tagged]
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


def test_what_is_kept_does_not_stand_before_what_goes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """More pinned jobs than a round holds: the others go all the same."""
    monkeypatch.setattr("core.usecases.retention.PER_ROUND", 1)
    *kept, old = sorted([site.ended("ann", old=True) for _job in range(3)], key=lambda job: job.submission_id)
    for job in kept:
        site.records.pin(job.job_id)
    site.retention.carry_out(90)
    assert site.left_of(old) == set()
    assert [site.left_of(job) for job in kept] == [EVERYTHING] * 2


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
