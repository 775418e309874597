"""Renews a claim's lease from a thread, and learns of cancels and lost leases on the way."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import structlog

from core.domain.errors import LeaseLost
from core.domain.job import Claim
from core.ports.job_status import JobStatusPort

LONGEST_BEAT_SECONDS = 2.0

log = structlog.get_logger(__name__)


class Heartbeat:
    """Renews the lease while its context lasts. `cancelled` and `lost` may be read at any time."""

    def __init__(self, job_status: JobStatusPort, claim: Claim, *, lease_seconds: float) -> None:
        self._job_status = job_status
        self._claim = claim
        self._lease_seconds = lease_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="heartbeat")
        self.cancelled = claim.job.cancel_requested
        self.lost = False

    @property
    def job_id(self) -> str:
        return self._claim.job_id

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=self._lease_seconds)

    def refresh(self) -> bool:
        """Renews the lease now, which updates `cancelled` and `lost`. False when the ledger does not answer."""
        return self._beat()

    def check(self) -> None:
        """Raises LeaseLost once another runner may hold the job."""
        if self.lost:
            raise LeaseLost(f"The lease of job {self._claim.job_id} ran out.")

    def _run(self) -> None:
        beat = min(LONGEST_BEAT_SECONDS, self._lease_seconds / 3)
        while not self._ended.wait(beat) and not self.lost:
            self._beat()

    def _beat(self) -> bool:
        try:
            self.cancelled = self._job_status.renew(self._claim, lease_seconds=self._lease_seconds) or self.cancelled
        except LeaseLost:
            self.lost = True
        except Exception as error:  # noqa: BLE001 whatever it is, a thread that ends would let the lease run out
            log.warning("lease not renewed", job_id=self._claim.job_id, error=str(error))
            return False
        return True
