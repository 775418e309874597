"""The image of a resource class: its runs are in it, and one that the engine lacks is told at the runner's start."""

from __future__ import annotations

import json
from collections.abc import Callable

import docker
import pytest

from core.domain.errors import Unavailable
from core.domain.limits import MIB, SMALL
from runner.engine.docker_engine import DockerEngine
from tests.conftest import service
from tests.docker.runner_site import Site, until
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker

LACKING = SMALL.model_copy(update={"image": "nobody/has:this", "cpus": 1, "memory_bytes": 512 * MIB})


def test_a_run_is_in_the_image_of_its_class(
    runner: TwinRunner[DockerEngine], built: Callable[[str], str], inner: docker.DockerClient
) -> None:
    """And its result says which image that was."""
    own = built("RUN echo of its own > /mark")
    runner.limits = runner.limits.model_copy(update={"image": own})
    job = runner.run(runner.claim("print(open('/mark').read())" + GOOD))
    assert (job.state, "of its own" in runner.log_of(job)) == ("completed", True)
    _ref, result = runner.tracking.results[job.job_id]
    assert result.tags["leadersboard.image_digest"] == inner.images.get(own).id


def test_an_engine_without_the_image_of_a_class_is_not_ready(image: str, fresh_name: str) -> None:
    engine = DockerEngine(
        service("LEADERSBOARD_TEST_ENGINE"), site=fresh_name, image=image, seccomp="{}", more_images=["nobody/has:this"]
    )
    with pytest.raises(Unavailable, match=r"has no image 'nobody/has:this'.*docker load"):
        engine.check()
    engine.close()


def test_a_missing_image_is_told_when_the_runner_starts(site: Site) -> None:
    """A real process: the job waits, untouched, and its log and report name the image and what to do."""
    job_id = site.post(GOOD)
    with site.runner(RESOURCE_CLASSES=json.dumps([LACKING.model_dump(mode="json")])):
        until(lambda: "wall does not hold" in site.words(), "the canary is red")
        assert "has no image 'nobody/has:this'" in site.words()
        assert (site.ledger.get(job_id).state, site.ledger.get(job_id).attempt) == ("pending", 0)
