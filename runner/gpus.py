"""Which device a run gets: whole ones, never shared; living containers' labels are the truth (BOX-5)."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.domain.errors import LeadersboardError
from core.domain.limits import GpuPolicy
from core.ports.sandbox import SandboxPort

WAIT_SECONDS = 1.0


class NoGpu(LeadersboardError):
    """Raised when a class requires a GPU and the engine has none; use another class."""

    code = "no_gpu"


class Gpus:
    """The engine's devices, asked for once; a lock file keeps two runner processes from taking the same one."""

    def __init__(self, engine: SandboxPort, *, lock_file: Path) -> None:
        self._engine = engine
        self._lock_file = lock_file
        self._all: tuple[str, ...] | None = None

    @property
    def all(self) -> tuple[str, ...]:
        if self._all is None:
            self._all = self._engine.gpus()
        return self._all

    @contextmanager
    def reserved(self, policy: GpuPolicy, *, keep_waiting: Callable[[], None]) -> Iterator[str | None]:
        """A free device, or None for the CPU; start the container inside: its label holds the device afterwards.

        Waits while all are taken; `keep_waiting` is called each second and ends the wait by raising. Raises NoGpu.
        """
        if policy is GpuPolicy.NONE or not self.all:
            if policy is GpuPolicy.REQUIRED:
                raise NoGpu("This resource class needs a GPU, and this runner has none. Use another class.")
            yield None
            return
        with self._lock_file.open("w") as lock:
            _lock(lock, keep_waiting)
            yield self._first_free(keep_waiting)

    def _first_free(self, keep_waiting: Callable[[], None]) -> str:
        while True:
            taken = self._engine.gpus_in_use()
            free = [device for device in self.all if device not in taken]
            if free:
                return free[0]
            keep_waiting()
            time.sleep(WAIT_SECONDS)


def _lock(file: IO[str], keep_waiting: Callable[[], None]) -> None:
    """Another process of this runner may hold the lock for as long as it waits for a device."""
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            keep_waiting()
            time.sleep(WAIT_SECONDS)
