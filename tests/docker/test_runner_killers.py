"""A job that its runners die of: given up after five of them, with reasons in its log, alone from the third on."""

from __future__ import annotations

import time
from itertools import count

import docker
import pytest
import redis

from core.domain.job import LOST_TOO_OFTEN, MAX_LOSSES, RUNNER_GONE, SUSPECT_LOSSES, JobState
from core.domain.limits import UserLimits
from core.domain.verdict import FailureReason
from tests.docker.runner_site import SLOW, Site, ended, until, until_nothing_is_left
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

LIMITS = UserLimits(jobs_per_hour=1000, queue_when_over=True)
MOST_DEATHS = 12
"""More than are allowed, and fewer than there were."""


@pytest.mark.parametrize("step", ["claimed", "launching", "mid-log"])
def test_a_job_that_ends_every_runner_is_given_up_after_five(site: Site, inner: docker.DockerClient, step: str) -> None:
    """And the one that waits behind it is run by the next runner."""
    job_id = site.post("for number in range(30): print('line', number, flush=True)\nimport time; time.sleep(60)")
    deaths = deaths_until_the_end(site, job_id, step)
    job = site.ledger.get(job_id)
    assert (deaths, job.losses, job.state) == (MAX_LOSSES, MAX_LOSSES, JobState.FAILED), job
    assert (job.failure_reason, job.error_message) == (FailureReason.PLATFORM, LOST_TOO_OFTEN)
    if step == "launching":
        assert site.log(job_id).count("Attempt 1:") == MAX_LOSSES
        assert site.log(job_id).count(f"Launched again because {RUNNER_GONE}; it has lost") == MAX_LOSSES - 1
    with site.runner():
        assert ended(site, site.post(GOOD, "bob")).state is JobState.COMPLETED
        until_nothing_is_left(site, inner)
    if step != "claimed":
        assert site.log(job_id).rstrip().endswith(f"Ended: failed: {LOST_TOO_OFTEN}")


def deaths_until_the_end(site: Site, job_id: str, step: str) -> int:
    for deaths in count():
        died = site.root / f"died{deaths}"
        with site.runner("tests.docker.dying_runner:build", DIE_AT=step, DIED=str(died)) as process:
            until(lambda died=died: died.exists() or site.ledger.get(job_id).is_final, "it has died, or given up")
            if not died.exists():
                if site.log(job_id):  # it is killed when this returns
                    until(lambda: "Ended: " in site.log(job_id), "its log says so, too")
                return deaths
            process.wait(60)
        assert deaths < MOST_DEATHS
    raise AssertionError


def test_a_suspect_runs_alone_on_its_host(site: Site, redis_client: redis.Redis) -> None:
    """Two workers, and the other one begins nothing until it is judged; then all goes on, in order."""
    suspect = site.post(SLOW)
    redis_client.hset(f"leaderboard:job:{suspect}", "losses", SUSPECT_LOSSES)
    with site.runner(processes=2):
        until(lambda: "begun" in site.log(suspect), "the suspect runs")
        others = [site.post(GOOD + f"# {number}\n", f"user{number}") for number in range(3)]
        time.sleep(2)  # many sweeps, each of which rings
        assert {site.ledger.get(job_id).state for job_id in others} == {JobState.PENDING}
        first = ended(site, suspect)
        jobs = [ended(site, job_id) for job_id in others]
    assert first.state is JobState.COMPLETED
    assert {job.state for job in jobs} == {JobState.COMPLETED}
    assert all(job.started_at and first.finished_at and job.started_at >= first.finished_at for job in jobs)


def test_a_suspect_waits_for_what_runs_and_is_not_forgotten(site: Site, redis_client: redis.Redis) -> None:
    """Its host begins nothing else meanwhile, and takes it first."""
    with site.runner(processes=2):
        running = site.post(SLOW)
        until(lambda: "begun" in site.log(running), "another job runs")
        request = site.upload(GOOD, "eve")
        site.ledger.admit(request, LIMITS)
        redis_client.hset(f"leaderboard:job:{request.job_id}", "losses", SUSPECT_LOSSES)
        site.bell.ring("small")
        time.sleep(1)
        later = site.post(GOOD + "# later\n", "bob")
        first, second, third = (ended(site, job_id) for job_id in (running, request.job_id, later))
    assert {first.state, second.state, third.state} == {JobState.COMPLETED}
    assert second.started_at is not None
    assert first.finished_at is not None
    assert first.finished_at <= second.started_at
    assert third.started_at is not None
    assert second.finished_at is not None
    assert second.finished_at <= third.started_at
