"""Caches for seconds which runs are in which experiments: a page of MLflow's UI asks for the same runs many times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any

from cachetools import TTLCache

from core.domain.tracking_call import TrackingCall
from core.ports.tracking_reads import TrackingAnswer, TrackingReadsPort

SECONDS = 15.0
"""For this time a removed run may still be shown. The owner of its files is read from the ledger each time."""
MOST = 20_000


class KnownRuns:
    """TrackingReadsPort that caches what another one found. Thread-safe."""

    def __init__(self, reads: TrackingReadsPort, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._reads = reads
        self._lock = threading.Lock()
        self._experiments: TTLCache[str, Mapping[str, Any]] = TTLCache(MOST, SECONDS, timer=clock)
        self._runs: TTLCache[tuple[str, tuple[str, ...]], str | None] = TTLCache(MOST, SECONDS, timer=clock)

    def experiments(self, names: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        with self._lock:
            known = {name: self._experiments[name] for name in names if name in self._experiments}
        if missing := [name for name in names if name not in known]:
            found = self._reads.experiments(missing)
            with self._lock:
                self._experiments.update(found)
            known |= found
        return known

    def runs(self, run_ids: Collection[str], experiment_ids: Collection[str]) -> Mapping[str, str | None]:
        scope = tuple(sorted(experiment_ids))
        with self._lock:
            known = {run_id: self._runs[run_id, scope] for run_id in run_ids if (run_id, scope) in self._runs}
        if missing := [run_id for run_id in run_ids if run_id not in known]:
            found = self._reads.runs(missing, experiment_ids)
            with self._lock:
                self._runs.update({(run_id, scope): job_id for run_id, job_id in found.items()})
            known |= found
        return known

    def read(self, call: TrackingCall) -> AbstractContextManager[TrackingAnswer]:
        return self._reads.read(call)
