"""An MLflow that is away, hangs or is killed: results wait, runners do not."""

from __future__ import annotations

import os
import signal
import time

import docker
import pytest

from core.domain.job import JobState, Phase
from tests.docker.faults.broken_parts import assert_settled, program
from tests.docker.own_parts import own_mlflow
from tests.docker.runner_site import DEFAULTS, Site, kill_group, until
from tests.integration.freezing_proxy import FreezingProxy

pytestmark = pytest.mark.docker


def test_results_wait_for_mlflow_and_the_runner_does_not(
    site: Site, mlflow_url: str, mlflow_door: FreezingProxy, inner: docker.DockerClient
) -> None:
    """TRK-5, R13: with MLflow away one runner runs job after job; each is recorded once when it is back."""
    mlflow_door.refuse()
    site.environment["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{mlflow_door.port}"
    ids = [site.post(program(0.2, number)) for number in range(2)]
    recording = lambda job_id: site.ledger.get(job_id).phase is Phase.RECORDING  # noqa: E731
    with site.runner() as first:
        until(lambda: all(map(recording, ids)), "both wait for MLflow")
        assert {site.ledger.get(job_id).state for job_id in ids} == {JobState.RUNNING}
        kill_group(first)
    with site.runner():
        mlflow_door.admit()
        assert_settled(site, ids, mlflow_url, inner)


def test_an_mlflow_that_hangs_holds_no_runner(
    site: Site, mlflow_url: str, mlflow_door: FreezingProxy, inner: docker.DockerClient
) -> None:
    """R13, TRK-5: as it takes a result's files. The next job starts within 30 s, and each result is recorded once."""
    site.environment["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{mlflow_door.port}"
    asleep = site.root / "asleep"
    trap = {"DIE_AT": "metrics logged", "DIED": str(asleep), "DIE_OF": "SIGSTOP"}
    ids = [site.post(program(0.2, number)) for number in range(2)]
    with site.runner("tests.docker.dying_runner:build", **trap, **DEFAULTS):
        until(lambda: asleep.exists() and asleep.read_text() != "", "it is about to send the files")
        mlflow_door.freeze()
        os.kill(int(asleep.read_text()), signal.SIGCONT)
        since = time.monotonic()
        until(lambda: "line 0" in site.log(ids[1]), "the next job runs")
        assert time.monotonic() - since < 240
        mlflow_door.thaw()
        assert_settled(site, ids, mlflow_url, inner)


def test_an_mlflow_that_is_killed_gets_every_result_once(
    site: Site, fresh_name: str, inner: docker.DockerClient
) -> None:
    """TRK-5, R13: kill -9 while it records, with results before, during and after; none is lost or there twice."""
    with own_mlflow(fresh_name) as server:
        site.environment["MLFLOW_TRACKING_URI"] = server.url
        ids = [site.post(program(0.4 * number, number), user=f"user{number}") for number in range(6)]
        recording = lambda job_id: site.ledger.get(job_id).phase is Phase.RECORDING  # noqa: E731
        with site.runner(processes=2):
            until(lambda: any(map(recording, ids)), "one is being recorded")
            server.kill()
            until(lambda: all(site.ledger.get(job_id).is_final or recording(job_id) for job_id in ids), "all have run")
            assert any(map(recording, ids))
            server.start()
            assert_settled(site, ids, server.url, inner)
