"""The packages of the real sandbox image."""

from __future__ import annotations

import docker
import pytest
from packaging.requirements import Requirement

from runner.requirements.image_list import LARGEST_LIST, ImageList
from tests.conftest import REPOSITORY

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
