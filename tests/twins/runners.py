"""Runners and their hosts in memory: the twin of RedisRunners for tests, held to the same contract."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.image_packages import ImagePackages
from core.domain.runners import (
    FORGOTTEN_SECONDS,
    HOST_FORGOTTEN_SECONDS,
    HostReport,
    RunnerReport,
    SeenHost,
    SeenRunner,
    Wish,
    stricter,
)


@dataclass
class MemoryRunners:
    """RunnersPort for one process; `clock` answers seconds."""

    clock: Callable[[], float] = time.monotonic
    _processes: dict[str, tuple[float, RunnerReport]] = field(default_factory=dict)
    _hosts: dict[str, tuple[float, HostReport]] = field(default_factory=dict)
    _images: dict[str, tuple[float, ImagePackages]] = field(default_factory=dict)
    _wishes: dict[str, Wish] = field(default_factory=dict)
    _turns: dict[str, float] = field(default_factory=dict)
    _canaries: set[str] = field(default_factory=set)
    _mended: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, report: RunnerReport) -> None:
        self._processes[report.name] = (self.clock(), report)

    def publish_host(self, report: HostReport) -> None:
        self._hosts[report.host] = (self.clock(), report)

    def publish_image(self, image: ImagePackages) -> None:
        self._images[image.image_id] = (self.clock(), image)

    def withdraw(self, name: str, host: str) -> None:
        with self._lock:
            self._processes.pop(name, None)
            self._wishes.pop(name, None)
            if all(report.host != host for _at, report in self._processes.values()):
                self._hosts.pop(host, None)

    def turn(self, what: str, seconds: float) -> bool:
        with self._lock:
            if self._turns.get(what, float("-inf")) > self.clock():
                return False
            self._turns[what] = self.clock() + seconds
            return True

    def keep_turn(self, what: str, seconds: float) -> None:
        with self._lock:
            if self._turns.get(what, float("-inf")) > self.clock():
                self._turns[what] = self.clock() + seconds

    def count_mended(self, what: str) -> None:
        with self._lock:
            self._mended[what] += 1

    def mended(self) -> Mapping[str, int]:
        return dict(sorted(self._mended.items()))

    def runners(self) -> Sequence[SeenRunner]:
        known = [(self.clock() - at, report) for _name, (at, report) in sorted(self._processes.items())]
        return [
            SeenRunner(report=report, silent_seconds=silent, wish=self.wish(report.name, report.host))
            for silent, report in known
            if silent <= FORGOTTEN_SECONDS
        ]

    def hosts(self) -> Sequence[SeenHost]:
        known = [(self.clock() - at, report) for _name, (at, report) in sorted(self._hosts.items())]
        return [SeenHost(report=report, silent_seconds=age) for age, report in known if age <= HOST_FORGOTTEN_SECONDS]

    def images(self) -> Sequence[ImagePackages]:
        return [image for at, image in self._images.values() if self.clock() - at <= HOST_FORGOTTEN_SECONDS]

    def wish(self, *targets: str) -> Wish:
        return stricter(*(self._wishes[target] for target in targets if target in self._wishes))

    def set_wish(self, target: str, wish: Wish) -> None:
        self._wishes[target] = wish

    def ask_canary(self, host: str) -> None:
        self._canaries.add(host)

    def take_canary(self, host: str) -> bool:
        with self._lock:
            asked = host in self._canaries
            self._canaries.discard(host)
            return asked
