"""The sweeper's steps for the ledger: settle the claims of dead processes, ring again for jobs that wait."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

from core.domain.errors import NotFound
from core.domain.job import MAX_ATTEMPTS, Job
from core.ports.job_queue import JobQueuePort
from core.ports.job_status import JobStatusPort
from runner.lease.claim_locks import ClaimLocks
from runner.recovery.repairs import Mended


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerSteps:
    """Each step is atomic in the ledger, and raises Unavailable when that does not answer."""

    job_status: JobStatusPort
    job_queue: JobQueuePort
    claim_locks: ClaimLocks
    host: str
    host_patience: float
    """Seconds after which the jobs of a silent host are run elsewhere."""
    resource_classes: Collection[str]
    mended: Mended
    ended: deque[Job] = field(default_factory=deque)
    """Jobs that the ledger ended and whose logs have no last line yet."""
    freed: threading.Event = field(default_factory=threading.Event)
    """Set when the ledger ended a job whose run may still be in the engine."""

    def dead_claims(self) -> None:
        """In a thread apart from the ledger's steps: storage that hangs or fails holds up no lease and no cancel."""
        for job_id, mark in self.claim_locks.dead():
            if self.job_status.presume_dead(job_id, mark):
                self.mended("dead claim", job_id)

    def claims(self) -> None:
        """Settles jobs whose leases have expired, and rings for runs of this host that have lost their runner."""
        swept = self.job_status.sweep(max_attempts=MAX_ATTEMPTS, host=self.host, host_patience=self.host_patience)
        for job in (*swept.requeued, *swept.ended, *swept.orphaned):
            self.mended("lease", job.job_id, state=job.state, attempt=job.attempt)
        if swept.ended:
            self.ended.extend(swept.ended)
            self.freed.set()
        if self.job_status.orphans(self.host) and self.job_queue.silent(self.host):
            self.job_queue.ring(self.host)

    def doorbells(self) -> None:
        """Rings for classes whose jobs wait in silence: a bell was lost, or its user was at the limit."""
        for name in self.resource_classes:
            if self.job_status.pending(name) and self.job_queue.silent(name):
                self.job_queue.ring(name)
                self.mended("doorbell", resource_class=name)

    def job_of(self, job_id: str) -> Job | None:
        """The job; None if the ledger does not know it."""
        try:
            return self.job_status.get(job_id)
        except NotFound:
            return None
