"""Runners of an older version beside those of this one, on one engine and one ledger: while a site is updated."""

from __future__ import annotations

import docker
import pytest
import redis

from core.adapters.redis.results import RedisResults
from core.adapters.redis.runners import RedisRunners
from core.domain.job import JobState
from core.domain.runners import RunnerState
from tests.docker.runner_site import (
    LINES,
    SLOW,
    Site,
    ended,
    kill_group,
    lines_of,
    mlflow_runs,
    until,
    until_nothing_is_left,
)

pytestmark = pytest.mark.docker

OLDER, NEWER = "tests.docker.older_runner:build", "runner.main:build"
TURN = "leaderboard:runners:turn:old results"


def test_older_and_newer_runners_share_an_engine_and_a_ledger(
    site: Site, inner: docker.DockerClient, redis_client: redis.Redis
) -> None:
    """Neither ends, repeats or clears away what the other has; what the older does not seal is sealed later."""
    seen, results = RedisRunners(redis_client), RedisResults(redis_client)
    with site.runner(OLDER), site.runner(NEWER):
        until(lambda: [one.report.state for one in seen.runners()] == [RunnerState.READY] * 2, "both are ready")
        ids = [site.post(f"# {number}\n{SLOW}", f"user{number}") for number in range(6)]
        jobs = [ended(site, job_id) for job_id in ids]
        until_nothing_is_left(site, inner)
    assert {(job.state, job.attempt, job.losses) for job in jobs} == {(JobState.COMPLETED, 1, 0)}
    assert [lines_of(site.log(job_id)) for job_id in ids] == [LINES] * len(ids)
    assert mlflow_runs(site) == sorted((job.run_id or "", "FINISHED") for job in jobs)
    assert 0 < len(results.unsealed()) < len(ids), "one of the two had no job"
    redis_client.delete(TURN)  # it comes ten minutes after the one before
    with site.runner(NEWER):
        until(lambda: results.unsealed() == [], "all results are sealed")
    recorded = [results.get(job_id) for job_id in ids]
    assert [one.result.run_id for one in recorded if one] == [job.run_id for job in jobs]


@pytest.mark.parametrize(("first", "second"), [(OLDER, NEWER), (NEWER, OLDER)])
def test_a_run_is_taken_over_from_a_killed_runner_of_another_version(
    site: Site, inner: docker.DockerClient, first: str, second: str
) -> None:
    """At once, by the lock of its claim, with every line; nothing of it is left."""
    job_id = site.post(SLOW)
    site.environment["LEASE_SECONDS"] = "120"
    with site.runner(first) as killed:
        until(lambda: "line 3" in site.log(job_id), "it runs")
        kill_group(killed)
    with site.runner(second):
        job = ended(site, job_id)
        until_nothing_is_left(site, inner)
    assert (job.state, job.attempt, job.error_message) == (JobState.COMPLETED, 1, None)
    assert lines_of(site.log(job_id)) == LINES
