"""The list of an image's packages: how it is asked for, and what of an answer is taken."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from core.domain.errors import Unavailable
from runner.guest import list_packages
from runner.requirements.image_list import LARGEST_LIST, ImageList, lister_options, packages_in

pytestmark = pytest.mark.unit

ANSWER = json.dumps({"markers": {"os_name": "posix"}, "packages": [{"name": "torch", "version": "2.15"}]}).encode()


class FakeEngine:
    """Answers each container with the same text, and counts what is made and removed."""

    def __init__(self, answer: bytes = ANSWER) -> None:
        self.answer, self.image_id = answer, "sha256:1"
        self.ids: dict[str, str] = {}
        self.made: list[dict[str, Any]] = []
        self.removed = 0
        self.images = SimpleNamespace(get=lambda name: SimpleNamespace(id=self.ids.get(name, self.image_id)))
        self.containers = SimpleNamespace(create=self._create)

    def _create(self, **options: Any) -> Any:
        self.made.append(options)
        return SimpleNamespace(
            start=lambda: None, wait=lambda **_given: None, logs=lambda **_given: self.answer, remove=self._remove
        )

    def _remove(self, **_given: Any) -> None:
        self.removed += 1


def test_each_image_is_asked_once() -> None:
    """A rebuilt image under the same name is another one."""
    engine: Any = FakeEngine()
    images = ImageList(client=engine, seccomp="{}")
    assert images.of("sandbox").packages == images.of("sandbox").packages
    assert (len(engine.made), engine.removed) == (1, 1)
    engine.image_id = "sha256:2"
    assert images.of("sandbox").image_id == "sha256:2"
    assert len(engine.made) == 2


def test_images_of_several_classes_are_each_asked_once() -> None:
    """And what no name means any more is forgotten."""
    engine: Any = FakeEngine()
    engine.ids = {"other": "sha256:9"}
    images = ImageList(client=engine, seccomp="{}")
    for _time in range(3):
        assert [images.of(name).image_id for name in ("sandbox", "other")] == ["sha256:1", "sha256:9"]
    assert len(engine.made) == 2
    engine.ids = {}
    images.of("other")
    assert set(images._known) == {"sha256:1"}


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"no json", b'{"packages": []}', b" " * (LARGEST_LIST + 1), b"[" * 9999]
)
def test_an_answer_that_is_no_list_is_not_taken(answer: bytes) -> None:
    engine: Any = FakeEngine(answer)
    images = ImageList(client=engine, seccomp="{}")
    for _time in range(2):
        with pytest.raises(Unavailable):
            images.of("sandbox")
    assert (len(engine.made), engine.removed) == (1, 1), "it is not asked again at every job"


def test_the_container_has_no_way_out_and_nothing_of_ours() -> None:
    options = lister_options("sha256:1", "{}", site="s", process="p-1")
    assert (options["image"], options["network_mode"], options["read_only"]) == ("sha256:1", "none", True)
    assert (options["cap_drop"], options["user"]) == (["ALL"], "60000:60000")
    assert "mounts" not in options
    assert options["labels"]["leadersboard.process"] == "p-1"


def test_the_program_tells_what_this_python_has() -> None:
    """Run on this interpreter: its own packages, and its own values for markers."""
    text = Path(list_packages.__file__).read_text()
    answer = subprocess.run([sys.executable, "-I", "-c", text], check=True, capture_output=True).stdout
    found = packages_in(answer, "sha256:1")
    assert found.lack_of(Requirement(f"pydantic=={metadata.version('pydantic')}")) is None
    environment: Any = default_environment()
    assert dict(found.markers).items() <= environment.items()
