"""What runners tell of themselves, with real runner processes on the real inner engine."""

from __future__ import annotations

import json

import pytest
import redis

from core.adapters.redis.runners import RedisRunners
from core.domain.job import JobState
from core.domain.limits import MEDIUM, SMALL
from core.domain.runners import RunnerState, SandboxFigures, Wish
from tests.docker.runner_site import SLOW, Site, kill_group, until
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker


def living(runners: RedisRunners) -> list[SandboxFigures]:
    """The sandboxes of which live figures are known."""
    return [one for host in runners.hosts() for one in host.report.sandboxes if one.pids]


def test_admins_see_a_living_sandbox_with_its_walls(site: Site, redis_client: redis.Redis) -> None:
    """BOX-11: job, user, image, age, CPU, memory, pids and security options, while the run goes on."""
    runners = RedisRunners(redis_client)
    classes = json.dumps([SMALL.model_dump(), MEDIUM.model_dump()])
    with site.runner(RESOURCE_CLASSES=classes):
        job_id = site.post(SLOW)
        until(lambda: bool(living(runners)), "a sandbox is told of")
        (seen,) = living(runners)
        (process,) = runners.runners()
        site.ledger.cancel(job_id)
        until(lambda: site.ledger.get(job_id).is_final, "the run is cancelled")
    assert (seen.job_id, seen.user_id, seen.attempt, seen.status) == (job_id, "ann", 1, "running")
    assert seen.image.startswith("sha256:")
    assert (seen.memory_bytes or 0) > 0
    assert seen.cpu_percent is not None
    assert (seen.pids or 0) > 0
    assert {"network none", "root file system read-only", "capabilities dropped: ALL", "swap off"} <= set(seen.security)
    assert process.report.state is RunnerState.READY
    assert process.report.jobs == (job_id,)
    assert {item.name for item in process.report.classes} == {"small", "medium"}
    (host,) = runners.hosts()
    assert "Engine" in host.report.engine
    assert {disk.name for disk in host.report.disks} == {"submissions", "logs", "jobs", "benchmarks"}


def test_a_runner_tells_what_its_image_has(site: Site, redis_client: redis.Redis) -> None:
    """FLD-8: the gateway, which has no engine, compares requirements.txt with it."""
    runners = RedisRunners(redis_client)
    with site.runner():
        until(lambda: [one.report.classes[0].image_id for one in runners.runners()] not in ([], [""]), "it names one")
        (process,) = runners.runners()
        (image,) = runners.images()
    assert {item.image_id for item in process.report.classes} == {image.image_id}
    assert {item.name: item.installs for item in process.report.classes}["small"] is False
    assert "torch" in {package.name for package in image.packages}


def test_a_paused_runner_begins_nothing_until_it_is_resumed(site: Site, redis_client: redis.Redis) -> None:
    """Issue 5: what runs goes on to its end, what waits begins within seconds of the resume."""
    runners = RedisRunners(redis_client)
    with site.runner():
        running = site.post(SLOW)
        until(lambda: site.ledger.get(running).state is JobState.RUNNING, "the first job runs")
        (seen,) = runners.runners()
        runners.set_wish(seen.report.host, Wish.DRAIN)
        waiting = site.post(GOOD, "bob")
        until(lambda: runners.runners()[0].report.state is RunnerState.DRAINED, "the runner is drained")
        assert site.ledger.get(running).state is JobState.COMPLETED
        assert site.ledger.get(waiting).state is JobState.PENDING
        runners.set_wish(seen.report.host, Wish.RUN)
        until(lambda: site.ledger.get(waiting).is_final, "the waiting job has run")
    assert site.ledger.get(waiting).state is JobState.COMPLETED


def test_a_runner_that_ends_takes_itself_off_the_list_and_a_killed_one_turns_silent(
    site: Site, redis_client: redis.Redis
) -> None:
    """A job that a killed one had in hand is shown with the runner that took it over alone."""
    runners = RedisRunners(redis_client)
    with site.runner() as process:
        until(lambda: len(runners.runners()) == 1, "it is listed")
        process.terminate()
        assert process.wait(60) == 0
    assert runners.runners() == []
    assert runners.hosts() == []
    with site.runner() as killed:
        job_id = site.post("import time\ntime.sleep(45)\n" + GOOD)
        until(lambda: [seen.jobs for seen in runners.runners()] == [(job_id,)], "it has the job in hand")
        kill_group(killed)
    with site.runner():
        until(lambda: sorted(seen.state for seen in runners.runners()) == ["ready", "silent"], "one of two is silent")
        assert {seen.state: seen.jobs for seen in runners.runners()} == {"ready": (job_id,), "silent": ()}
        assert sum(seen.is_ready_for() for seen in runners.runners()) == 1
        site.ledger.cancel(job_id)
        until(lambda: site.ledger.get(job_id).is_final, "it is cancelled")
        until(lambda: site.left_on_disk() == [], "its folder is gone")


def test_the_report_of_a_runner_carries_the_canary(site: Site, redis_client: redis.Redis) -> None:
    """`GET /admin/runners` shows it: the last probe, its rows, and the versions' warnings."""
    runners = RedisRunners(redis_client)
    with site.runner():
        until(lambda: any(seen.report.state is RunnerState.READY for seen in runners.runners()), "it is ready")
        until(lambda: any(host.report.canary for host in runners.hosts()), "its host tells the canary")
        (host,) = runners.hosts()
    told = host.report.canary
    assert told is not None
    assert told["ok"] is True
    assert any(row["check"] == "system calls" for row in told["rows"])
