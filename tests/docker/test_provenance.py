"""Where a result comes from, on the real engine and image."""

from __future__ import annotations

from dataclasses import replace

import docker
import pytest

from runner.engine.docker_engine import DockerEngine
from runner.job.run_job import RunJob
from runner.requirements.image_list import ImageList
from tests.conftest import REPOSITORY
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker


def test_a_run_notes_image_libraries_and_engine(
    runner: TwinRunner[DockerEngine], inner: docker.DockerClient, image: str
) -> None:
    """By the digest of the image that it ran in, which is asked for its packages."""
    images = ImageList(client=inner, seccomp=(REPOSITORY / "seccomp.json").read_text(), site=runner.site)
    claim = runner.claim(GOOD)
    RunJob(context=replace(runner.context(), image_packages=images.of))(claim)
    recorded = runner.results.get(claim.job_id)
    assert recorded is not None, runner.log_of(claim.job)
    found = recorded.result.provenance
    assert found is not None
    assert recorded.result.tags["leadersboard.image_digest"] == inner.images.get(image).id
    assert {"python", "torch", "torchvision", "anomalib", "numpy", "timm"} <= set(found.libraries)
    assert {"Engine", "containerd", "runc", "kernel"} <= set(found.versions)
    assert all(found.versions.values())
    assert (len(found.data_sha256 or ""), found.limits["class"]) == (64, "small")
