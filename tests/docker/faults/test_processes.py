"""Runners and gateways that pause, die or restart under running jobs."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

import docker
import httpx2
import pytest

from core.domain.job import JobState
from tests.conftest import redis_url
from tests.docker.altered_runner import altered
from tests.docker.faults.broken_parts import assert_settled, begun, program
from tests.docker.runner_site import DEFAULTS, Site, ended, until
from tests.running_gateway import environment, gateway_process

pytestmark = pytest.mark.docker

TEN = 10
LONG_LEASE = DEFAULTS | {"LEASE_SECONDS": "300"}
AT_ONCE_SECONDS = 100
"""Less than that lease, and many times what it takes."""
UNREAD_SOON = altered(runner__engine__output__stream__UNREAD_SECONDS=1)


def test_a_paused_runner_wakes_up_to_nothing(site: Site, mlflow_url: str, inner: docker.DockerClient) -> None:
    """SIGSTOP: its lease is taken, another runner finishes the run, and the sleeper changes nothing afterwards.

    The run prints more than the engine holds back for a reader that does not read.
    """
    job_id = site.post(program(8).replace("    print(", "    print('x' * 150_000)\n    print(", 1))
    with site.runner("tests.docker.altered_runner:build", ALTERED=UNREAD_SOON) as sleeper:
        begun(site, job_id)
        os.killpg(sleeper.pid, signal.SIGSTOP)
        with site.runner():
            until(lambda: "line 15" in site.log(job_id), "another runner goes on with the log")
            os.killpg(sleeper.pid, signal.SIGCONT)
            assert_settled(site, [job_id], mlflow_url, inner)
            time.sleep(3)
            assert_settled(site, [job_id], mlflow_url, inner)
            assert sleeper.poll() is None


def test_doubled_messages_start_nothing_twice(site: Site, mlflow_url: str, inner: docker.DockerClient) -> None:
    """JOB-11: twenty rings for two jobs, two workers who hear them at the same moment."""
    ids = [site.post(program(1, number), user=f"user{number}") for number in range(2)]
    for _ring in range(20):
        site.bell.ring("small")
    with site.runner(processes=2):
        assert_settled(site, ids, mlflow_url, inner)


def test_a_gateway_killed_before_it_rings_has_lost_nothing(
    site: Site, mlflow_url: str, inner: docker.DockerClient
) -> None:
    """kill -9 between ledger and doorbell: the job is run, and whoever asks again gets the same one."""
    config = {"benchmark": site.benchmark, "resource_class": "small"}
    wanted = {"submission_id": site.upload(program(1), "ann").submission_id, "config": config}
    env = environment(site.root, redis_url=redis_url(), mlflow_url=mlflow_url)
    dying = "tests.docker.dying_gateway:build"
    with gateway_process(site.root, env, build=dying) as (door, process), door.client() as ann:
        with suppress(httpx2.HTTPError):  # its answer may have been on its way
            ann.post("/jobs", json=wanted, headers={"Idempotency-Key": "once"})
        assert process.wait(20) == -signal.SIGKILL
    (job,) = site.ledger.list_jobs(limit=10).jobs
    with site.runner(), gateway_process(site.root, env) as (door, _process), door.client() as ann:
        assert_settled(site, [job.job_id], mlflow_url, inner)
        again = ann.post("/jobs", json=wanted, headers={"Idempotency-Key": "once"})
    assert again.json()["job_id"] == job.job_id


def test_a_rolling_restart_reruns_nothing(site: Site, mlflow_url: str, inner: docker.DockerClient) -> None:
    """RUN-3: the runner is replaced while ten jobs run; no container is started twice."""
    ids = [site.post(program(45, number), user=f"user{number}") for number in range(TEN)]
    label = {"label": [f"leadersboard.site={site.ledger.ledger_id()}", "leadersboard.role=job"]}
    with site.runner(processes=TEN) as old:
        for job_id in ids:
            begun(site, job_id)
        before = {container.id for container in inner.containers.list(filters=label, ignore_removed=True)}
        old.terminate()
        assert old.wait(60) == 0
    assert {container.id for container in inner.containers.list(filters=label, ignore_removed=True)} == before
    with site.runner(processes=TEN):
        assert_settled(site, ids, mlflow_url, inner)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_cancel_does_not_need_the_runner_that_started_the_job(
    site: Site, inner: docker.DockerClient, how: signal.Signals
) -> None:
    """JOB-8: its worker dead or asleep, the container is gone within ten seconds of another runner's being there.

    Asked when there is none (dead), or one that waits for a lease that has 30 s to go (asleep).
    """
    job_id = site.post(program(60))
    with site.runner(**LONG_LEASE) as first:
        begun(site, job_id)
        os.killpg(first.pid, how)
        if how is signal.SIGKILL:
            site.ledger.cancel(job_id)
        with site.runner(**LONG_LEASE):
            until(lambda: site.words().count("Worker process is ready") == 2, "it is there")
            since = time.monotonic()
            if how is signal.SIGSTOP:
                site.ledger.cancel(job_id)
            label = {"label": f"leadersboard.job={job_id}"}
            until(
                lambda: not inner.containers.list(all=True, filters=label, ignore_removed=True), "the container is gone"
            )
            assert time.monotonic() - since < AT_ONCE_SECONDS
            assert ended(site, job_id).state is JobState.CANCELLED
            until(lambda: not inner.volumes.list(filters=label), "the volume is gone")
