"""An engine below the lowest safe version takes no jobs, in the real runner process on the real engine."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest
import redis

from core.adapters.redis.runners import RedisRunners
from core.domain.job import JobState
from core.domain.runners import RunnerState
from runner.engine.advisories import old_parts
from tests.conftest import redis_url
from tests.docker.runner_site import Site, until
from tests.running_gateway import environment, gateway_thread
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker


def test_an_old_engine_begins_no_job_until_an_admin_accepts_it(
    site: Site, redis_client: redis.Redis, inner: docker.DockerClient, tmp_path: Path, mlflow_url: str
) -> None:
    """The job waits, its user reads why in general terms, admins in full; with the setting it runs."""
    versions = {part["Name"]: part["Version"] for part in inner.version()["Components"]}
    if not (old := old_parts(versions)):
        pytest.skip(
            "this engine is as new as it has to be: the refusal is shown in tests/unit/runner/test_availability.py"
        )
    runners = RedisRunners(redis_client)
    job_id = site.post(GOOD)
    with gateway_thread(tmp_path, environment(tmp_path, redis_url=redis_url(), mlflow_url=mlflow_url)) as door:
        with site.runner(ALLOW_OLD_ENGINE="false"):
            until(lambda: any("older than" in (one.report.reason or "") for one in runners.runners()), "it refuses")
            (seen,) = runners.runners()
            assert seen.report.state is RunnerState.REFUSED
            assert all(one.part in (seen.report.reason or "") for one in old)
            until(lambda: bool(runners.hosts()) and bool(runners.hosts()[0].report.old), "its host is reported")
            with door.client(door.admin_token) as admin:
                notices = admin.get("/admin/overview").json()["notices"]
            notices = [one for one in notices if one["kind"] == "old_engine"]
            with door.client() as ann:
                notice = ann.get(f"/jobs/{job_id}/status").json()["notice"]
        assert [(one["part"], one["floor"], one["takes_jobs"]) for one in notices] == [
            (one.part, one.floor, False) for one in old
        ]
        assert "would not be safe" in notice
        assert not any(version and version in notice for version in versions.values())
        assert site.ledger.get(job_id).state is JobState.PENDING
        with site.runner(ALLOW_OLD_ENGINE="true"):
            until(lambda: site.ledger.get(job_id).is_final, "it runs once it is accepted")
            until(lambda: any(host.report.old_engine_allowed for host in runners.hosts()), "and is shown as accepted")
        assert site.ledger.get(job_id).state is JobState.COMPLETED
