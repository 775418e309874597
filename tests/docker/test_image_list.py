"""The packages of the real sandbox image."""

from __future__ import annotations

import docker
import pytest
from packaging.requirements import Requirement

from core.domain.limits import RequirementsLimits
from runner.engine.docker_engine import DockerEngine
from runner.requirements.cache import DependencyCache
from runner.requirements.dependencies import Dependencies
from runner.requirements.image_list import LARGEST_LIST, ImageList
from runner.requirements.index import Index
from runner.requirements.installer import Installer
from tests.conftest import REPOSITORY, service
from tests.twin_runner import GOOD, TwinRunner

pytestmark = pytest.mark.docker

SECCOMP = (REPOSITORY / "seccomp.json").read_text()


def test_the_image_lists_its_own_packages(inner: docker.DockerClient, image: str) -> None:
    """FLD-8: by its own Python, within the bounds of a report, and the container is gone afterwards."""
    before = len(inner.containers.list(all=True, filters={"label": "leadersboard.role=probe"}))
    found = ImageList(client=inner, seccomp=SECCOMP).of(image)
    for line in ("torch", "torchvision", "anomalib", "numpy", "pyyaml", "anomalib>=2"):
        assert found.lack_of(Requirement(line)) is None
    lack = found.lack_of(Requirement("torch==2.5.1+cu121"))
    assert lack is not None
    assert lack.words.startswith("the image has torch 2.")
    assert found.markers["python_version"] == "3.13"
    assert len(found.model_dump_json()) < LARGEST_LIST
    assert len(inner.containers.list(all=True, filters={"label": "leadersboard.role=probe"})) == before


def test_a_run_whose_image_has_everything_needs_no_index(runner: TwinRunner[DockerEngine]) -> None:
    """FLD-8: in a class that installs nothing; what the image lacks is refused with what it has."""
    installer = Installer.on(
        service("LEADERSBOARD_TEST_ENGINE"), seccomp=SECCOMP, index=Index(urls=()), limits=RequirementsLimits()
    )
    images = ImageList(client=installer.client, seccomp=SECCOMP, site=runner.site)
    cache = DependencyCache(job_root=runner.root / "jobs", kept_bytes=0)
    runner.dependencies = Dependencies(installer=installer, cache=cache, packages_of=images.of)
    there = runner.run(runner.claim(GOOD, requirements="torch\nnumpy>=2\npyyaml\n"))
    missing = runner.run(runner.claim(GOOD, requirements="torch==2.5.1+cu121\n"))
    installer.close()
    assert there.state == "completed"
    assert "the sandbox image has all of them" in runner.log_of(there)
    assert missing.state == "failed"
    assert "the image has torch 2." in (missing.error_message or "")
