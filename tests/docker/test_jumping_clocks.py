"""A runner's wall clock that jumps by a day, forth and back: no job is lost, repeated or stopped for it.

The ledger's clock is not made to jump here: the library that does it and Debian's Redis do not go together.
"""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from pathlib import Path

import docker
import pytest
import redis

from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.runners import RedisRunners
from core.domain.job import JobState
from tests.docker.jumping_clock import Clock, jumping_clock
from tests.docker.runner_site import (
    LINES,
    SLOW,
    Site,
    ended,
    kill_group,
    lines_of,
    until,
    until_nothing_is_left,
)

pytestmark = pytest.mark.docker

DAY = 86_400


@pytest.fixture
def clock(engine_folder: Path) -> Clock:
    return jumping_clock(engine_folder / "clock")


def assert_whole(site: Site, job_ids: list[str]) -> None:
    for job_id in job_ids:
        job = ended(site, job_id)
        assert (job.state, job.attempt, job.error_message) == (JobState.COMPLETED, 1, None)
        assert lines_of(site.log(job_id)) == LINES


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_clock_that_jumps_stops_and_repeats_nothing(site: Site, clock: Clock, seconds: int) -> None:
    """Time-outs, the hunt for dead runners, the engine's probe and records: one runs, one waits, one comes later."""
    ids = [site.post(SLOW), site.post(SLOW + "# waits")]
    with site.runner(**clock.settings()):
        until(lambda: "line 3" in site.log(ids[0]), "it runs")
        clock.jump(seconds)
        ids.append(site.post(SLOW + "# later"))
        assert_whole(site, ids)
    assert f"{dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds):%Y-%m-%d}" in site.words()  # it did jump


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_runner_that_dies_as_the_clock_jumps_is_followed(
    site: Site, clock: Clock, inner: docker.DockerClient, seconds: int
) -> None:
    """Its successor lives on another day, and finds the run and its log all the same."""
    job_id = site.post(SLOW)
    with site.runner(**clock.settings()) as first:
        until(lambda: "line 3" in site.log(job_id), "it runs")
        clock.jump(seconds)
        kill_group(first)
    with site.runner(**clock.settings()):
        assert_whole(site, [job_id])
    label = {"label": f"leadersboard.job={job_id}"}
    until(lambda: not inner.containers.list(all=True, filters=label, ignore_removed=True), "its container is gone")


SINCE_1970 = -1_795_000_000
"""Seconds from today to the year 1970."""


@pytest.mark.parametrize(("seconds", "zone"), [(SINCE_1970, "Pacific/Kiritimati"), (40 * 365 * DAY, "Etc/GMT+12")])
def test_a_runner_whose_clock_is_decades_off_works_as_any_other(
    site: Site, clock: Clock, redis_client: redis.Redis, inner: docker.DockerClient, *, seconds: int, zone: str
) -> None:
    """In a wrong time zone, too: results have the ledger's time, nothing is left, and its skew is told."""
    clock.jump(seconds)
    with site.runner(**clock.settings(), TZ=zone):
        good, bad = site.post(SLOW.replace("0.2", "0.02")), site.post("raise SystemExit(3)", "bob")
        jobs = [ended(site, job_id) for job_id in (good, bad)]
        until(lambda: bool(RedisRunners(redis_client).runners()), "it reports")
        (seen,) = RedisRunners(redis_client).runners()
        until_nothing_is_left(site, inner)
    assert [(job.state, job.attempt) for job in jobs] == [(JobState.COMPLETED, 1), (JobState.FAILED, 1)]
    assert lines_of(site.log(good)) == LINES
    assert abs((seen.report.clock_skew_seconds or 0) - seconds) < 30
    with closing(MlflowTracking(site.environment["MLFLOW_TRACKING_URI"])) as tracking:
        run = tracking._get("/runs/get", {"run_id": str(jobs[0].run_id)})["run"]
    assert abs(int(run["info"]["end_time"]) / 1000 - site.ledger.now().timestamp()) < 300
