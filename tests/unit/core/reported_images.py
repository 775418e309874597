"""A runner's report with the packages of its image."""

from __future__ import annotations

from datetime import UTC, datetime

from core.domain.image_packages import ImagePackages
from core.domain.limits import MEDIUM, SMALL
from core.domain.runners import ClassFigures, RunnerReport, RunnerState
from core.ports.runners import RunnersPort
from tests.unit.runner.requirements.installations import IMAGE


def told(
    runners: RunnersPort,
    *,
    installs: bool = True,
    image: ImagePackages | None = IMAGE,
    name: str = "box:1",
    medium_image: ImagePackages | None = None,
) -> None:
    """A runner reports its two classes, of which `medium` may install, and their image if there is one.

    `medium_image`: that of `medium`, if it has another.
    """
    for one in (image, medium_image):
        if one is not None:
            runners.publish_image(one)
    image_id = image.image_id if image is not None else ""
    medium_id = medium_image.image_id if medium_image is not None else image_id
    classes = (
        ClassFigures.model_validate(SMALL.model_dump() | {"image_id": image_id, "installs": False}),
        ClassFigures.model_validate(MEDIUM.model_dump() | {"image_id": medium_id, "installs": installs}),
    )
    now = datetime.now(UTC)
    runners.publish(RunnerReport(name=name, host="e", version="1", since=now, state=RunnerState.READY, classes=classes))
