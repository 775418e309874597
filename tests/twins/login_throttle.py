"""Counters of attempts in memory: the twin of RedisLoginThrottle for tests, held to the same contract."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass
class MemoryLoginThrottle:
    """LoginThrottlePort for one process; `clock` answers seconds."""

    clock: Callable[[], float] = time.monotonic
    _counters: dict[str, tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, budgets: Mapping[str, int], *, window_seconds: int) -> int:
        with self._lock:
            now = self.clock()
            states = {name: self._state(name, now, window_seconds) for name in budgets}
            waits = [ends - now for name, (count, ends) in states.items() if count >= budgets[name]]
            if waits:
                return max(1, math.ceil(max(waits)))
            self._counters.update({name: (count + 1, ends) for name, (count, ends) in states.items()})
            return 0

    def give_back(self, budgets: Mapping[str, int]) -> None:
        with self._lock:
            for name in budgets:
                count, ends = self._counters.get(name, (0, 0.0))
                self._counters[name] = (max(0, count - 1), ends)

    def _state(self, name: str, now: float, window_seconds: int) -> tuple[int, float]:
        count, ends = self._counters.get(name, (0, 0.0))
        return (count, ends) if ends > now else (0, now + window_seconds)
