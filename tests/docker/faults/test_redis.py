"""A Redis that is killed, hangs, fills or comes late loses no job."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import docker
import pytest

from core.adapters.redis.connection import connect
from core.adapters.redis.runners import RedisRunners
from tests.docker.faults.broken_parts import Poster, assert_settled, begun, program, readiness
from tests.docker.own_parts import OwnPart
from tests.docker.runner_site import PATIENCE_SECONDS, Site, until
from tests.running_gateway import environment, gateway_process

pytestmark = pytest.mark.docker


def test_redis_killed_under_load_loses_nothing(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """R6, R7: kill -9 with jobs running and waiting; what was accepted is there afterwards, and nothing runs twice."""
    ids = [fragile.post(program(6, number), user=f"user{number}") for number in range(4)]
    with fragile.runner(processes=2):
        begun(fragile, ids[0])
        ledger_server.kill()
        time.sleep(3)
        ledger_server.start()
        assert_settled(fragile, ids, mlflow_url, inner)


def test_a_runner_that_begins_before_redis_waits_for_it(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """A host that was started anew: it does not live on without hearing bells, and runs what had been accepted."""
    job_id = fragile.post(program(1))
    ledger_server.kill()
    with fragile.runner() as runner:
        time.sleep(3)  # it asks in vain meanwhile; what it says of that comes once it has begun
        ledger_server.start()
        assert_settled(fragile, [job_id], mlflow_url, inner)
        assert "waiting for a part" in fragile.words()
        assert runner.poll() is None


def test_a_redis_that_hangs_is_waited_for(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """Longer than a lease: the runner lives, finds its claim gone, and takes its own run over again."""
    job_id = fragile.post(program(8))
    with fragile.runner():
        begun(fragile, job_id)
        ledger_server.pause()
        time.sleep(6)
        ledger_server.unpause()
        assert_settled(fragile, [job_id], mlflow_url, inner)


def test_whoever_insists_while_redis_dies_has_each_job_once(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """R6: over HTTP, three at a time; what was not accepted was told so, and the same key is the same job."""
    wanted = {f"key {number}": fragile.upload(program(1, number), "ann").submission_id for number in range(6)}
    env = environment(fragile.root, redis_url=ledger_server.url, mlflow_url=mlflow_url)
    runner = fragile.runner(processes=2, MAX_CONCURRENT_RUNNING="9")
    with runner, gateway_process(fragile.root, env) as (door, _process), ThreadPoolExecutor(3) as crowd:
        posters = [Poster(door, fragile.benchmark, key, submission) for key, submission in wanted.items()]
        posted = [crowd.submit(poster.insist) for poster in posters]
        until(lambda: sum(one.done() for one in posted) >= 2, "some are accepted")
        ledger_server.kill()
        until(lambda: any(poster.refused for poster in posters), "some are refused")
        ledger_server.start()
        ids = [one.result(PATIENCE_SECONDS) for one in posted]
        assert_settled(fragile, ids, mlflow_url, inner)
        assert [poster.insist() for poster in posters] == ids
    assert {job.job_id for job in fragile.ledger.list_jobs().jobs} == set(ids)


def test_a_full_redis_refuses_what_is_new_and_keeps_what_it_has(
    fragile: Site, ledger_server: OwnPart, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """R10, R11: nothing is evicted; a new job is refused as a whole; what runs and what waits is brought to its end."""
    ids = [fragile.post(program(3, number), user) for number, user in enumerate(("bob", "eve"))]
    late = fragile.upload(program(0.2, 2), "ann").submission_id
    env = environment(fragile.root, redis_url=ledger_server.url, mlflow_url=mlflow_url)
    with fragile.runner(), gateway_process(fragile.root, env) as (door, _process), connect(ledger_server.url) as client:
        begun(fragile, ids[0])
        client.config_set("maxmemory", "1")
        poster = Poster(door, fragile.benchmark, "late", late)
        assert poster.ask() is None
        until(lambda: readiness(door) == (503, "unavailable"), "readiness tells of it")
        assert not client.keys("leaderboard:*:ann*")
        since = time.monotonic()
        silent = lambda: RedisRunners(client).runners()[0].silent_seconds  # noqa: E731
        until(lambda: silent() < time.monotonic() - since, "the runner tells of itself as before")
        assert_settled(fragile, ids, mlflow_url, inner)
        assert {job.job_id for job in fragile.ledger.list_jobs().jobs} == set(ids)
        client.config_set("maxmemory", "64mb")
        until(lambda: readiness(door) == (200, "ok"), "all is well again")
        assert_settled(fragile, [*ids, poster.insist()], mlflow_url, inner)
