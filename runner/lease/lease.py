"""The lease of a claim: renewed from a thread, and asked before each step whether this runner may go on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

import structlog

from core.domain.errors import LeaseLost, Unavailable
from core.domain.job import Claim
from core.ports.job_status import JobStatusPort

LONGEST_BEAT_SECONDS = 2.0
RETRY_SECONDS = 1.0

AnswerT = TypeVar("AnswerT")
log = structlog.get_logger(__name__)


class HandOver(Exception):
    """Raised when this runner is asked to stop while it holds a job. No error: another runner goes on with the job."""


class Lease:
    """Renews the lease while its context lasts. `cancelled` and `lost` may be read at any time.

    `check` looks, `confirm` asks the ledger, `retrying` writes to it. All three raise LeaseLost once another runner may
    hold the job, and HandOver once `stopping` is set.
    """

    def __init__(
        self, job_status: JobStatusPort, claim: Claim, *, lease_seconds: float, stopping: threading.Event
    ) -> None:
        self._job_status = job_status
        self._claim = claim
        self._lease_seconds = lease_seconds
        self._stopping = stopping
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="lease")
        self.cancelled = claim.job.cancel_requested
        self.lost = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=self._lease_seconds)

    def check(self) -> None:
        """Looks whether this runner may go on; waits for no answer. A cancel is obeyed before a hand-over."""
        self._check_lost()
        if self._stopping.is_set():
            self._renew()
            self._check_lost()
            if not self.cancelled:
                raise HandOver

    def confirm(self) -> None:
        """Waits until the ledger confirms that this runner holds the job.

        Call before every irreversible step. An outage of the ledger can outlast the lease; another runner may then hold
        the job.
        """
        while not self._renew():
            if self._stopping.wait(RETRY_SECONDS):
                raise HandOver
        self._check_lost()

    def retrying(self, call: Callable[[], AnswerT]) -> AnswerT:
        """Repeats a call to the ledger until it answers, and returns the answer."""
        while True:
            try:
                return call()
            except Unavailable as error:
                log.warning("ledger does not answer", job_id=self._claim.job_id, error=str(error))
                self._check_lost()
                if self._stopping.wait(RETRY_SECONDS):
                    raise HandOver from error

    def _check_lost(self) -> None:
        if self.lost:
            raise LeaseLost(f"The lease of job {self._claim.job_id} ran out.")

    def _run(self) -> None:
        beat = min(LONGEST_BEAT_SECONDS, self._lease_seconds / 3)
        while not self._ended.wait(beat) and not self.lost:
            self._renew()

    def _renew(self) -> bool:
        """Renews the lease, which updates `cancelled` and `lost`. False if the ledger does not answer."""
        try:
            self.cancelled = self._job_status.renew(self._claim, lease_seconds=self._lease_seconds) or self.cancelled
        except LeaseLost:
            self.lost = True
        except Exception as error:  # noqa: BLE001 whatever it is, a thread that ends would let the lease run out
            log.warning("lease not renewed", job_id=self._claim.job_id, error=str(error))
            return False
        return True
