"""Mends what a crash left: expired leases, lost doorbells, containers and folders without a running job."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.domain.errors import LeadersboardError, NotFound
from core.domain.job import MAX_ATTEMPTS, JobState
from core.ports.job_queue import JobQueuePort
from core.ports.job_status import JobStatusPort
from core.ports.sandbox import SandboxPort

SETTLED_SECONDS = 60.0
"""A folder younger than this may belong to a job that is being claimed right now."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweeper:
    """Safe in every runner at once: each step is atomic in the ledger or may be repeated."""

    job_status: JobStatusPort
    job_queue: JobQueuePort
    engine: SandboxPort
    resource_classes: Sequence[str]
    job_root: Path

    def run(self, every_seconds: float, ended: threading.Event) -> None:
        """Sweep until `ended` is set."""
        while not ended.wait(every_seconds):
            self.sweep()

    def sweep(self) -> None:
        for step in (self._leases, self._doorbells, self._leftovers, self._folders):
            _attempt(step)

    def _leases(self) -> None:
        swept = self.job_status.sweep(max_attempts=MAX_ATTEMPTS)
        for job in (*swept.requeued, *swept.ended):
            log.warning("lease had run out", job_id=job.job_id, state=job.state, attempt=job.attempt)

    def _doorbells(self) -> None:
        for name in self.resource_classes:
            if self.job_status.pending(name) and self.job_queue.silent(name):
                self.job_queue.ring(name)

    def _leftovers(self) -> None:
        for job_id in self.engine.job_ids():
            if not self._is_running(job_id):
                log.warning("leftovers removed", job_id=job_id, things=self.engine.remove_leftovers(job_id))

    def _folders(self) -> None:
        settled = time.time() - SETTLED_SECONDS
        for folder in self.job_root.iterdir():
            job_id = folder.name.partition("-")[0]
            if folder.stat().st_mtime < settled and not self._is_running(job_id):
                shutil.rmtree(folder, ignore_errors=True)
                log.warning("folder removed", job_id=job_id)

    def _is_running(self, job_id: str) -> bool:
        try:
            return self.job_status.get(job_id).state is JobState.RUNNING
        except NotFound:
            return False


def _attempt(step: Callable[[], None]) -> None:
    """A part that is away now is asked again at the next sweep; one failing step keeps no other from its work."""
    try:
        step()
    except (LeadersboardError, OSError) as error:
        log.warning("sweep step failed", step=step.__name__, error=str(error))
    except Exception:  # the thread must not end: nothing else mends what it mends
        log.exception("sweep step broke", step=step.__name__)
