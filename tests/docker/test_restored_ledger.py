"""A ledger that forgot: an older file of Redis's was restored, or it was flushed, while or after jobs ran."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import pytest
import redis

from core.adapters.files.old_files import EARLIER
from core.domain.errors import NotFound
from core.domain.job import JobRequest, JobState
from tests.docker.conftest import opened_site
from tests.docker.own_parts import OwnPart, own_redis
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
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

UNCERTAIN = GOOD.replace("0.5", "__import__('random').random()")
"""Two runs of it have different results."""


@pytest.fixture
def data(engine_folder: Path) -> Path:
    """Redis's folder."""
    folder = engine_folder / "redis"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def server(fresh_name: str, data: Path) -> Iterator[OwnPart]:
    with own_redis(fresh_name, data=data) as made:
        yield made


@pytest.fixture
def own_site(engine_folder: Path, server: OwnPart, mlflow_url: str, image: str, fresh_name: str) -> Iterator[Site]:
    with opened_site(engine_folder, server.url, mlflow_url, image, fresh_name) as made:
        yield made


@contextmanager
def older_file(server: OwnPart, data: Path) -> Iterator[None]:
    """What Redis has now is what it has afterwards."""
    server.stop()
    subprocess.run(["cp", "-a", data / "appendonlydir", data / "copy"], check=True)  # it is another user's
    server.start()
    yield
    server.stop()
    shutil.rmtree(data / "appendonlydir")
    (data / "copy").rename(data / "appendonlydir")
    server.start()


def earlier_logs(site: Site) -> list[str]:
    return [path.read_text(errors="replace") for path in (site.root / "logs" / EARLIER).glob("*")]


def test_a_job_posted_again_after_a_restore_is_a_job_of_its_own(own_site: Site, server: OwnPart, data: Path) -> None:
    """The same id, and neither the log nor the result of the one that the restored ledger does not know."""
    request = own_site.upload(UNCERTAIN, "ann")
    with older_file(server, data):
        own_site.ledger.ledger_id()
        first_id = own_site.admit(request)
        with own_site.runner():
            first = ended(own_site, first_id)
            until(lambda: own_site.left_on_disk() == [], "its folder is gone")
    old = own_site.log(first_id)
    with pytest.raises(NotFound):
        own_site.ledger.get(first_id)
    assert own_site.admit(request) == first_id
    with own_site.runner():
        second = ended(own_site, first_id)
    assert (second.state, second.attempt) == (JobState.COMPLETED, 1)
    assert second.run_id != first.run_id
    assert own_site.log(first_id).count("hello from the run") == 1
    assert own_site.log(first_id).count("Ended: completed") == 1
    assert earlier_logs(own_site) == [old]


def test_a_run_that_goes_on_over_a_restore_belongs_to_nobody(
    own_site: Site, server: OwnPart, data: Path, inner: docker.DockerClient
) -> None:
    """Its job is not in the restored ledger: it is removed; posted again, it runs once, with a log of its own."""
    request = own_site.upload(SLOW, "ann")
    with own_site.runner():
        with older_file(server, data):
            own_site.ledger.ledger_id()
            job_id = own_site.admit(request)
            until(lambda: "line 3" in own_site.log(job_id), "it runs")
        own_site.admit(request)
        job = ended(own_site, job_id)
        until_nothing_is_left(own_site, inner)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)
    assert lines_of(own_site.log(job_id)) == LINES
    assert mlflow_runs(own_site) == [(job.run_id, "FINISHED")]


def test_a_job_that_ran_since_the_copy_runs_again_with_a_log_of_its_own(
    own_site: Site, server: OwnPart, data: Path
) -> None:
    """The restored ledger has it waiting."""
    job_id = own_site.post(UNCERTAIN)
    with older_file(server, data), own_site.runner():
        first = ended(own_site, job_id)
    with own_site.runner():
        second = ended(own_site, job_id)
    assert second.run_id != first.run_id
    assert own_site.log(job_id).count("Ended: completed") == 1
    assert len(earlier_logs(own_site)) == 1


@pytest.mark.parametrize("restarted", [False, True], ids=["the same runner", "another runner"])
def test_a_flushed_redis_leaves_no_run_behind(
    site: Site, redis_client: redis.Redis, inner: docker.DockerClient, *, restarted: bool
) -> None:
    """Running containers of unknown jobs are removed; posted again, the job runs once, and nothing is doubled."""
    name = site.ledger.ledger_id()
    request = site.upload(SLOW, "ann")
    with site.runner() as first:
        job_id = site.admit(request)
        until(lambda: "line 3" in site.log(job_id), "it runs")
        site.ledger._ledger_id = ""  # this process has no part in it
        if restarted:
            kill_group(first)
        redis_client.flushdb()
        with suppress(NotFound):
            pytest.fail(f"the ledger knows {site.ledger.get(job_id)}")
        if restarted:
            with site.runner():
                until(lambda: no_container(inner, name), "its container is gone")
                finish(site, request, job_id)
        else:
            until(lambda: no_container(inner, name), "its container is gone")
            finish(site, request, job_id)
    assert site.ledger.ledger_id() == name
    until_nothing_is_left(site, inner)


def no_container(inner: docker.DockerClient, site: str) -> bool:
    label: dict[str, Any] = {"label": f"leadersboard.site={site}"}
    return not inner.containers.list(all=True, filters=label, ignore_removed=True)


def finish(site: Site, request: JobRequest, job_id: str) -> None:
    """It is posted again, and has one whole log and one result."""
    assert site.admit(request) == job_id
    job = ended(site, job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)
    assert lines_of(site.log(job_id)) == LINES
    assert len(earlier_logs(site)) == 1
    assert mlflow_runs(site) == [(job.run_id, "FINISHED")]
    until(lambda: site.left_on_disk() == [], "no folder is left")
