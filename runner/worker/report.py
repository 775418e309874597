"""Every few seconds each runner reports its state, and one runner of each host that of its engine (BOX-11)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from core import __version__
from core.domain.errors import LeadersboardError
from core.domain.image_packages import ImagePackages
from core.domain.limits import ResourceClass
from core.domain.runners import MOST_LISTED, ClassFigures, HostReport, RunnerReport
from core.ports.runners import RunnersPort
from core.ports.sandbox import SandboxPort
from runner.engine.advisories import old_parts
from runner.engine.inspection import Inspection, disks
from runner.gpus import Gpus
from runner.worker.availability import Availability

REPORT_SECONDS = 3.0
LOOK_SECONDS = 2.5
IMAGE_SECONDS = 60.0
"""The list of an image's packages is long, and stays as it is."""

log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class HostFacts:
    """Facts about the host that other parts of the runner found out."""

    warnings: tuple[str, ...] = ()
    old_engine_allowed: bool = False
    canary: Mapping[str, Any] | None = None


@dataclass(kw_only=True)
class Reporter:
    """Reports until it is ended; what fails now is reported the next time."""

    runners: RunnersPort
    availability: Availability
    clock_skew: Callable[[], float]
    """Raises Unavailable."""
    engine: SandboxPort
    gpus: Gpus
    inspection: Inspection
    resource_classes: Iterable[ResourceClass]
    image: str = ""
    """The site's; a class may have another."""
    image_packages: Callable[[str], ImagePackages | None] = lambda _image: None
    """What the image of this name has; None if that is not known. Raises Unavailable."""
    installs: bool = False
    """Whether classes that may install packages can."""
    facts: HostFacts = field(default_factory=HostFacts)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    _image_ids: dict[str, str] = field(default_factory=dict)
    """By name, of images whose packages are published."""

    def run(self, ended: threading.Event) -> None:
        while True:
            self.report()
            if ended.wait(REPORT_SECONDS):
                return

    def report(self) -> None:
        """Reports on the process, and on its host and images when it is this process's turn. Never raises."""
        _quietly(lambda: self.runners.publish(self.process()))
        _quietly(self._report_host)
        for name in dict.fromkeys(item.image_of(self.image) for item in self.resource_classes):
            _quietly(partial(self._report_image, name))

    def withdraw(self) -> None:
        """Withdraws the report of a process that ends in order, so that it is not listed as silent. Never raises."""
        _quietly(lambda: self.runners.withdraw(self.availability.name, self.availability.host))

    def _report_host(self) -> None:
        if self.runners.turn(f"look:{self.availability.host}", LOOK_SECONDS):
            self.runners.publish_host(self.host())

    def _report_image(self, name: str) -> None:
        self._image_ids.pop(name, None)
        image = self.image_packages(name)
        if image is None:
            return
        if self.runners.turn(f"image:{image.image_id}", IMAGE_SECONDS):
            self.runners.publish_image(image)
        self._image_ids[name] = image.image_id

    def process(self) -> RunnerReport:
        state, reason = self.availability.state()
        classes = [self._figures(item) for item in self.resource_classes]
        return RunnerReport(
            name=self.availability.name,
            host=self.availability.host,
            version=__version__,
            since=self.since,
            state=state,
            reason=reason,
            classes=tuple(classes[:MOST_LISTED]),
            jobs=tuple(sorted(self.availability.jobs)),
            clock_skew_seconds=round(self.clock_skew(), 3),
        )

    def _figures(self, item: ResourceClass) -> ClassFigures:
        image_id = self._image_ids.get(item.image_of(self.image), "")
        found = {"image_id": image_id, "installs": item.requirements and self.installs}
        return ClassFigures.model_validate(item.model_dump() | found)

    def host(self) -> HostReport:
        versions = self.inspection.versions()
        old = old_parts(versions)
        warnings = [*self.facts.warnings, *(one.sentence for one in old)]
        return HostReport(
            host=self.availability.host,
            engine=dict(versions),
            warnings=tuple(warning[:300] for warning in warnings[:MOST_LISTED]),
            old=old,
            old_engine_allowed=self.facts.old_engine_allowed,
            gpus=self.gpus.all,
            gpus_in_use=tuple(sorted(self.engine.gpus_in_use())) if self.gpus.all else (),
            gpus_quarantined=tuple(sorted(self.gpus.quarantined)),
            sandboxes=self.inspection.sandboxes(),
            disks=disks(self.availability.folders()),
            canary=self.facts.canary,
        )


def _quietly(step: Callable[[], None]) -> None:
    try:
        step()
    except (LeadersboardError, OSError) as error:
        log.warning("report not published", error=str(error))
    except Exception:  # the thread must not end: an admin would see a runner that is gone
        log.exception("report broke")
