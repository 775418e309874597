"""Samples the peaks of a run from outside its container, where a submission cannot forge them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from docker.models.containers import Container

from core.domain.errors import Unavailable
from core.ports.sandbox import CpuUse
from runner.engine.errors import engine_errors

FIRST_SAMPLE_SECONDS, LONGEST_SAMPLE_SECONDS = 0.05, 1.0
GPU_SAMPLE_SECONDS = 15.0
"""Reading a device's memory may take a container of its own, so it runs in a thread."""


class Peaks:
    """Sampled when `seen` is called, at growing intervals, so that short runs have samples, too."""

    def __init__(self, container: Container | None, gpu_memory: Callable[[], int] | None) -> None:
        """`gpu_memory` returns the used bytes of the run's device; None when it has none."""
        self._container, self._gpu_memory = container, gpu_memory
        self._highest: dict[str, float] = {}
        self._lock = threading.Lock()
        self._next, self._pause = 0.0, FIRST_SAMPLE_SECONDS
        self._next_gpu = time.monotonic() + 1.0

    def seen(self) -> dict[str, float]:
        """The peaks so far. Never raises; may be empty."""
        now = time.monotonic()
        if self._container is not None and now >= self._next:
            self._next = now + self._pause
            self._pause = min(LONGEST_SAMPLE_SECONDS, 2 * self._pause)
            with contextlib.suppress(Unavailable), engine_errors():
                self._sample(self._container.stats(stream=False, one_shot=True))
        if self._gpu_memory is not None and now >= self._next_gpu:
            self._next_gpu = now + GPU_SAMPLE_SECONDS
            threading.Thread(target=self._sample_gpu, args=(self._gpu_memory,), daemon=True, name="gpu peak").start()
        with self._lock:
            return dict(self._highest)

    def _sample(self, stats: Any) -> None:
        memory = stats.get("memory_stats", {})
        self._take("memory_bytes", max(memory.get("usage", 0), memory.get("max_usage", 0)))
        self._take("pids", stats.get("pids_stats", {}).get("current", 0))
        self._take("cpu_seconds", stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage", 0) / 1e9)

    def _sample_gpu(self, gpu_memory: Callable[[], int]) -> None:
        with contextlib.suppress(Unavailable):
            self._take("gpu_memory_bytes", gpu_memory())

    def _take(self, name: str, value: float) -> None:
        """Ignores zeros: a container that has just started or just ended has no figures."""
        if value:
            with self._lock:
                self._highest[name] = max(self._highest.get(name, 0.0), float(value))


def cpu_use(container: Container) -> CpuUse | None:
    """The container's CPU time now; None when it does not run, or the engine does not tell. Never raises."""
    with contextlib.suppress(Unavailable, LookupError, TypeError, ValueError), engine_errors():
        return cpu_use_in(container.stats(stream=False, one_shot=True))
    return None


def cpu_use_in(stats: Any) -> CpuUse | None:
    """Reads the engine's statistics of a container; None if they have no CPU time: it has ended, or has just begun."""
    cpu = stats["cpu_stats"]
    used = cpu["cpu_usage"]["total_usage"]
    if not used:
        return None
    return CpuUse(
        at_seconds=datetime.fromisoformat(str(stats["read"])).timestamp(),
        used_seconds=used / 1e9,
        periods=int(cpu.get("throttling_data", {}).get("periods", 0)),
    )
