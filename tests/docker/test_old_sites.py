"""A runner goes on with the site that an earlier version left: what waited is run, and what was under way, again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from core.domain.job import JobState
from tests.conftest import redis_url
from tests.docker.runner_site import Site, ended
from tests.old_sites.restore import VERSIONS, restore

pytestmark = pytest.mark.docker


@pytest.fixture(params=VERSIONS)
def site(
    request: pytest.FixtureRequest, redis_client: redis.Redis, mlflow_url: str, engine_folder: Path, image: str
) -> Iterator[Site]:
    made = Site(engine_folder, redis_url(), mlflow_url, image, "synthetic")
    restore(request.param, redis_client, engine_folder)
    yield made
    made.close()


def test_every_job_of_then_ends(site: Site) -> None:
    """The host of then is gone: its run is begun anew, in a second attempt. Jobs that had ended are left alone."""
    before = {job.job_id: job for job in site.ledger.list_jobs(limit=100).jobs}
    [waiting] = [job_id for job_id, job in before.items() if job.state is JobState.PENDING]
    [running] = [job_id for job_id, job in before.items() if job.state is JobState.RUNNING]
    with site.runner(HOST_PATIENCE_SECONDS="1"):
        assert (ended(site, waiting).state, ended(site, waiting).attempt) == (JobState.COMPLETED, 1)
        assert (ended(site, running).state, ended(site, running).attempt) == (JobState.COMPLETED, 2)
    after = {job.job_id: job for job in site.ledger.list_jobs(limit=100).jobs}
    assert [job for job_id, job in before.items() if job_id not in {waiting, running} and after[job_id] != job] == []
    assert "begun" in site.log(running)
    assert site.log(running).rstrip().endswith("Ended: completed")
