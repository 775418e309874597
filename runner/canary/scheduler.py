"""Runs the canary at the runner's start, hourly and on an admin's request; while it is red no job is begun here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from core.domain.canary import CanaryReport
from core.domain.errors import LeadersboardError
from core.domain.runners import PROBING
from core.ports.runners import RunnersPort
from runner.worker.availability import Availability
from runner.worker.report import HostFacts

EVERY_SECONDS = 3600.0
SECOND_LOOK_SECONDS = 5.0
"""Seconds until the canary runs again after the first red one, which a machine that stood still may have caused."""
RED_SECONDS = 60.0
"""Seconds between later red ones. A mended engine is found without a restart of the runner."""
LOOK_SECONDS = 2.0

log = structlog.get_logger(__name__)


def pause_after(reds: int) -> float:
    """Seconds until the canary runs again, after so many red ones in a row. It refuses jobs until it is green."""
    if reds == 0:
        return EVERY_SECONDS
    return SECOND_LOOK_SECONDS if reds == 1 else RED_SECONDS


@dataclass(kw_only=True)
class CanaryScheduler:
    """Lives as long as its process, in a thread of its own; uses no worker thread of jobs."""

    canary: Callable[[], CanaryReport]
    availability: Availability
    facts: HostFacts
    runners: RunnersPort
    ring: Callable[[], None]
    """Called once jobs may be begun, since some may have waited."""

    def __post_init__(self) -> None:
        self.availability.refusal = PROBING

    def run(self, ended: threading.Event) -> None:
        due, reds = 0.0, 0
        while not ended.is_set():
            if not self.availability.storage_fault() and (time.monotonic() >= due or self._asked()):
                self.probe()
                reds = reds + 1 if self.availability.refusal else 0
                due = time.monotonic() + pause_after(reds)
            ended.wait(LOOK_SECONDS)

    def probe(self) -> None:
        """Runs the canary once. Never raises: an error refuses jobs, and the thread goes on."""
        try:
            report = self.canary()
        except Exception as error:  # a probe that breaks has proved nothing
            log.exception("canary broke")
            self.availability.refusal = f"the sandbox could not be probed: {type(error).__name__}"
            return
        self.facts.canary = report.as_mapping()
        refused, self.availability.refusal = self.availability.refusal, report.refusal
        for row in report.red:
            log.error("wall does not hold", check=row.check, resource_class=row.resource_class,
                      expected=row.expected, found=row.found)  # fmt: skip
        log.info("canary", ok=report.ok, seconds=round(report.seconds, 2), rows=len(report.rows))
        if refused is not None and report.ok:
            self._let_in()

    def _let_in(self) -> None:
        try:
            self.ring()
        except LeadersboardError as error:
            log.warning("doorbell not rung", error=str(error))  # the sweeper rings later

    def _asked(self) -> bool:
        try:
            return self.runners.take_canary(self.availability.host)
        except LeadersboardError:
            return False
