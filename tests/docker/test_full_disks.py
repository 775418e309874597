"""Disks that fill up under each part that writes: nothing is lost, and all goes on when there is room (R18)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.errors import Unavailable
from core.domain.job import JobState
from tests.docker.conftest import opened_site
from tests.docker.own_parts import own_mlflow, own_redis
from tests.docker.runner_site import SLOW, Site, ended, until
from tests.docker.small_disk import SmallDisk, small_disk, small_shared_disk
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

SERVICE_USER = 10001
BIG = """
import pathlib
for number in range(3):
    pathlib.Path("/out", f"part{number}.bin").write_bytes(bytes([number]) * 1024**2)
"""


@pytest.fixture
def log_disk(site: Site) -> Iterator[SmallDisk]:
    """Full but for some bytes."""
    with small_disk(site.root / "logs", size="1m") as disk:
        disk.fill(but_bytes=3 * 4096)
        yield disk


def test_a_full_disk_under_the_logs_costs_lines_and_no_job(site: Site, log_disk: SmallDisk) -> None:
    """The run goes on; where there is room again the log does, too, and says how much is missing."""
    text = "import time\nfor n in range(40):\n    print('line', n, 'x' * 500, flush=True)\n    time.sleep(0.1)\n" + GOOD
    job_id = site.post(text)
    with site.runner(MIN_FREE_RUN_BYTES="0"):  # it filled up after the claim
        until(lambda: "line 5" in site.log(job_id), "it runs")
        time.sleep(2)
        assert "line 25 " not in site.log(job_id)
        log_disk.make_room()
        job = ended(site, job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)
    log = site.log(job_id)
    assert "bytes are missing here: the disk was full" in log
    assert "line 39 " in log
    assert log.rstrip().endswith("Ended: completed")


def test_a_full_disk_under_the_jobs_keeps_a_result_waiting(site: Site, mlflow_url: str) -> None:
    """What the run left stays in the engine until there is room for it, and is then recorded whole."""
    with small_shared_disk(site.root / "jobs", megabytes=16) as disk:
        job_id = site.post(SLOW + BIG)
        with site.runner(MIN_FREE_RUN_BYTES="0"):
            until(lambda: "line 3" in site.log(job_id), "it runs")
            disk.fill(but_bytes=1024**2)
            until(lambda: "No space left" in site.words(), "its harvest has failed")
            assert site.ledger.get(job_id).state is JobState.RUNNING
            disk.make_room()
            job = ended(site, job_id)
            until(lambda: set(site.left_on_disk()) <= {"lost+found"}, "its folder is gone")
    assert (job.state, job.attempt, job.failure_reason) == (JobState.COMPLETED, 1, None)
    assert {f"part{number}.bin" for number in range(3)} <= artifacts_of(mlflow_url, job.run_id)


def test_a_full_disk_under_mlflow_keeps_a_result_waiting(site: Site, engine_folder: Path, fresh_name: str) -> None:
    """TRK-5: refused for want of room, the result waits as for a server that is away."""
    artifacts = engine_folder / "artifacts"
    artifacts.mkdir()
    with (
        small_disk(artifacts, size="8m", user=SERVICE_USER) as disk,
        own_mlflow(fresh_name, artifacts=artifacts) as server,
    ):
        disk.fill(but_bytes=1024**2)
        site.environment["MLFLOW_TRACKING_URI"] = server.url
        job_id = site.post(SLOW.replace("0.2", "0.01") + BIG)
        with site.runner():
            until(lambda: "The result is kept" in site.log(job_id), "its result waits")
            assert site.ledger.get(job_id).state is JobState.RUNNING
            disk.make_room()
            job = ended(site, job_id)
        assert (job.state, job.attempt) == (JobState.COMPLETED, 1)
        assert {f"part{number}.bin" for number in range(3)} <= artifacts_of(server.url, job.run_id)


def test_a_full_disk_under_redis_loses_nothing_that_was_accepted(
    engine_folder: Path, mlflow_url: str, image: str, fresh_name: str, inner: docker.DockerClient
) -> None:
    """R10: a Redis that cannot write what it answers ends itself; started again with room it has every accepted job."""
    data = engine_folder / "redis"
    data.mkdir()
    with (
        small_disk(data, size="2m", user=SERVICE_USER) as disk,
        own_redis(fresh_name, data=data) as server,
        opened_site(engine_folder, server.url, mlflow_url, image, fresh_name) as site,
    ):
        ids = [site.post(SLOW)]
        with site.runner(processes=2):
            until(lambda: "line 3" in site.log(ids[0]), "it runs")
            disk.fill(but_bytes=64 * 1024)
            ids += accepted_until_full(site)
            until(server.ended_by_itself, "Redis has given up")
            disk.make_room()
            server.start()
            jobs = [ended(site, job_id) for job_id in ids]
            assert {(job.state, job.attempt) for job in jobs} == {(JobState.COMPLETED, 1)}
            known = {job.job_id for job in site.ledger.list_jobs(limit=100).jobs}
            assert set(ids) <= known
            assert len(known) <= len(ids) + 1  # the one whose answer did not come may be there
            until(lambda: site.left_on_disk() == [], "no folder is left")
        label = {"label": f"leadersboard.site={site.ledger.ledger_id()}"}
        until(lambda: not inner.containers.list(all=True, filters=label, ignore_removed=True), "no container is left")


def accepted_until_full(site: Site) -> list[str]:
    """Jobs with large parameters, for as long as they are taken."""
    accepted = []
    for number in range(100):
        request = replace(site.upload(f"# {number}\n{GOOD}", f"user{number}"), overrides={"text": "x" * 4000})
        try:
            accepted.append(site.admit(request))
        except Unavailable:
            return accepted
    pytest.fail("the disk was never full")


def artifacts_of(mlflow_url: str, run_id: str | None) -> set[str]:
    assert run_id is not None
    with closing(MlflowTracking(mlflow_url)) as tracking:
        return {artifact.path for artifact in tracking.get_run(run_id).artifacts}
