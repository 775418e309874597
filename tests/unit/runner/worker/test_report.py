"""What a runner reports of its image: first the list, then that its classes run in it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.image_packages import ImagePackages
from core.domain.limits import MEDIUM, SMALL, ResourceClass
from core.domain.runners import RunnerState
from runner.worker.report import Reporter
from tests.twins.runners import MemoryRunners
from tests.unit.runner.requirements.installations import IMAGE

pytestmark = pytest.mark.unit


def reporter(
    runners: MemoryRunners, image: Any, *, installs: bool = True, classes: tuple[ResourceClass, ...] = (SMALL, MEDIUM)
) -> Reporter:
    availability: Any = SimpleNamespace(
        name="box:1", host="engine", state=lambda: (RunnerState.READY, None), jobs=(), folders=lambda: ()
    )
    unused: Any = SimpleNamespace()
    return Reporter(
        runners=runners, availability=availability, clock_skew=lambda: 0.0, engine=unused, gpus=unused,
        inspection=unused, resource_classes=classes, image="site:1", image_packages=image,
        installs=installs,
    )  # fmt: skip


def images_of(runners: MemoryRunners) -> list[tuple[str, bool | None]]:
    (seen,) = runners.runners()
    return [(one.image_id, one.installs) for one in seen.report.classes]


def test_the_list_is_published_before_a_class_names_its_image() -> None:
    """FLD-8: the report names an image only once its list is published; `installs` needs the class and the site."""
    runners = MemoryRunners()
    one = reporter(runners, lambda _name: IMAGE)
    one.report()
    assert images_of(runners) == [("", False), ("", True)]
    assert runners.images() == [IMAGE]
    one.report()
    assert images_of(runners) == [(IMAGE.image_id, False), (IMAGE.image_id, True)]


def test_a_site_without_an_index_installs_in_no_class() -> None:
    runners = MemoryRunners()
    reporter(runners, lambda _name: None, installs=False).report()
    assert images_of(runners) == [("", False), ("", False)]


def test_an_image_that_cannot_be_asked_any_more_is_not_named() -> None:
    """The report itself goes on."""
    runners = MemoryRunners()
    answers: list[ImagePackages | None] = [IMAGE, None]

    def image(_name: str) -> ImagePackages:
        found = answers.pop(0)
        if found is None:
            raise Unavailable("The sandbox engine", "it has gone")
        return found

    one = reporter(runners, image)
    for _time in range(2):
        one.report()
    runners.publish(one.process())
    assert images_of(runners) == [("", False), ("", True)]


def test_each_class_names_the_image_of_its_own_runs() -> None:
    """One that cannot be asked hides neither the others nor the report."""
    runners, asked = MemoryRunners(), []

    def image(name: str) -> ImagePackages:
        asked.append(name)
        if name == "lost:1":
            raise Unavailable("The sandbox engine", "it has gone")
        return IMAGE.model_copy(update={"image_id": f"sha256:{name}"})

    own, lost = (SMALL.model_copy(update={"name": name, "image": f"{name}:1"}) for name in ("own", "lost"))
    one = reporter(runners, image, classes=(SMALL, lost, own, MEDIUM))
    for _time in range(2):
        one.report()
    assert [found for found, _installs in images_of(runners)] == ["sha256:site:1", "", "sha256:own:1", "sha256:site:1"]
    assert {found.image_id for found in runners.images()} == {"sha256:site:1", "sha256:own:1"}
    assert asked == ["site:1", "lost:1", "own:1"] * 2
