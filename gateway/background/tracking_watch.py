"""Compares a board's runs in MLflow with their sealed results, in the background; no request waits for it.

A comparison asks MLflow for every run of the board. For each benchmark that is viewed, one begins at most once in
REFRESH_SECONDS, and at most AT_ONCE go on at a time. Until the first one has ended, and when MLflow has not answered
for KEPT_SECONDS, every row is "unknown".
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from core.domain.errors import LeadersboardError
from core.domain.tracking_state import UNKNOWN, Tracking
from core.ports.results import ResultsPort
from core.ports.tracking import TrackingPort
from core.usecases.compare_tracking import CompareBoard

REFRESH_SECONDS = 60.0
KEPT_SECONDS = 300.0
AT_ONCE = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Compared:
    """States by job, and when their comparison began."""

    states: Mapping[str, Tracking]
    at: float


class TrackingWatch:
    """Lives as long as the app; `close` ends it."""

    def __init__(
        self, results: ResultsPort, tracking: TrackingPort, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._compare = CompareBoard(results=results, tracking=tracking)
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="tracking watch")
        self._lock = threading.Lock()
        self._kept: dict[str, _Compared] = {}
        self._begun: dict[str, float] = {}
        self._last: Future[None] | None = None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def states(self, benchmark: str) -> Callable[[str], Tracking]:
        """A function from job to its last known state. Begins a new comparison when the last one is too old."""
        now = self._clock()
        with self._lock:
            due = now - self._begun.get(benchmark, float("-inf")) >= REFRESH_SECONDS
            if due:
                self._begun[benchmark] = now
        if due:
            self._last = self._pool.submit(self._refresh, benchmark, now)
        kept = self._kept.get(benchmark)
        if kept is None or now - kept.at >= KEPT_SECONDS:
            return lambda _job_id: UNKNOWN
        return lambda job_id: kept.states.get(job_id, UNKNOWN)

    def forget(self, benchmark: str) -> None:
        """Let the next `states` begin a new comparison, after a run was changed on purpose."""
        with self._lock:
            self._begun.pop(benchmark, None)

    def settle(self) -> None:
        """Wait until the comparison begun last has ended."""
        if self._last is not None:
            self._last.result()

    def _refresh(self, benchmark: str, began: float) -> None:
        try:
            self._kept[benchmark] = _Compared(states=self._compare(benchmark), at=began)
        except LeadersboardError as error:
            log.warning("runs not compared", benchmark=benchmark, error=str(error))
        except Exception:  # the pool would swallow the error
            log.exception("comparing runs broke", benchmark=benchmark)
