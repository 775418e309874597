"""The Dramatiq side: a message says "there is work for this class"; the actor claims the fairest job and runs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dramatiq
import structlog
from dramatiq.brokers.redis import RedisBroker

from core.adapters.dramatiq_queue import ACTOR, queue_name
from core.domain.errors import LeadersboardError
from core.domain.job import Claim
from core.ports.job_queue import JobQueuePort
from core.ports.job_status import JobStatusPort
from runner.dead_letters import DeadLetterWriter
from runner.worker.availability import ANY_ORPHAN, Availability

PASS_ON_SECONDS = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunNext:
    """Claims one job and runs it; then rings for jobs that waited, e.g. for their user's slot."""

    job_status: JobStatusPort
    job_queue: JobQueuePort
    run_job: Callable[[Claim], None]
    lease_seconds: float
    running_limit: int
    host: str
    draining: threading.Event
    availability: Availability
    letters: DeadLetterWriter

    def __call__(self, resource_class: str) -> None:
        if self.draining.is_set():
            return
        self.availability.check_engine()  # without an engine jobs wait; the sweeper rings again
        if fault := self.availability.storage_fault():
            log.warning("nothing is claimed: storage cannot be used", fault=fault)
            self._leave_to_others(resource_class)
            return
        takes_new = self.availability.takes_new()
        claim = self.job_status.claim(
            resource_class if takes_new else ANY_ORPHAN,
            worker=self.availability.name,
            lease_seconds=self.lease_seconds,
            running_limit=self.running_limit,
            host=self.host,
        )
        if claim is None:
            if not takes_new:
                self._leave_to_others(resource_class)
            return
        if claim.job.sandbox is not None:  # the doorbell was for another job, and this one may take long
            self._ring_for_others(resource_class)
        try:
            with self.availability.holding(claim.job_id):
                self.run_job(claim)
        except Exception as error:
            self.letters.keep("run job", error, claim.job)
            raise
        finally:
            self._ring_for_others(resource_class)

    def _leave_to_others(self, resource_class: str) -> None:
        """Passes a doorbell on, which this runner does not answer now, if another runner takes jobs of the class."""
        seen = self.availability.runners.runners()
        if any(other.is_ready_for(resource_class) for other in seen if other.report.name != self.availability.name):
            self.draining.wait(PASS_ON_SECONDS)  # other listeners get it first
            self._ring_for_others(resource_class)

    def _ring_for_others(self, resource_class: str) -> None:
        if self.job_status.pending(resource_class):
            self.job_queue.ring(resource_class)


def declare(broker: RedisBroker, run_next: Callable[[str], None], resource_classes: Sequence[str]) -> None:
    """Declares one actor for the queues of all classes. No retries and no time limit: the ledger and we do both."""

    def heard(resource_class: str) -> None:
        try:
            run_next(resource_class)
        except LeadersboardError as error:
            log.warning("doorbell answered in vain", resource_class=resource_class, error=str(error))

    dramatiq.actor(actor_name=ACTOR, queue_name=queue_name(resource_classes[0]), broker=broker)(heard)
    for name in resource_classes[1:]:
        broker.declare_queue(queue_name(name))
