"""Which device a run gets: whole ones, never shared; living containers' labels are the truth (BOX-5).

A device that nobody holds and of which memory is taken all the same is in quarantine: something of an earlier run, or
of a stranger, is still on it. It comes back when it is found free.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import structlog

from core.domain.errors import LeadersboardError, Unavailable
from core.domain.limits import GIB, MIB, GpuPolicy
from core.ports.sandbox import SandboxPort

WAIT_SECONDS = 1.0
SETTLE_LOOKS = 5
"""A driver takes a moment to give memory back; so many looks, a second apart."""
RECHECK_SECONDS = 30.0

log = structlog.get_logger(__name__)


class NoGpu(LeadersboardError):
    """Raised when a class requires a GPU and the engine has none; use another class."""

    code = "no_gpu"


class Gpus:
    """The engine's devices, asked for once; a lock file keeps two runner processes from taking the same one."""

    def __init__(self, engine: SandboxPort, *, lock_file: Path, busy_bytes: int = GIB) -> None:
        self._engine = engine
        self._lock_file = lock_file
        self._busy_bytes = busy_bytes
        self._all: tuple[str, ...] | None = None
        self._quarantined: dict[str, str] = {}
        self._next_look = 0.0

    @property
    def all(self) -> tuple[str, ...]:
        if self._all is None:
            self._all = tuple(self._engine.gpu_memory())
        return self._all

    @property
    def quarantined(self) -> Mapping[str, str]:
        """Devices that no run gets, and why; for the runner's report."""
        return dict(self._quarantined)

    @contextmanager
    def reserved(
        self, policy: GpuPolicy, *, keep_waiting: Callable[[], None], say: Callable[[str], None] = lambda _why: None
    ) -> Iterator[str | None]:
        """A free device, or None for the CPU; start the container inside: its label holds the device afterwards.

        Waits while all are taken, and tells `say` so; `keep_waiting` is called each second and ends the wait by
        raising. Raises NoGpu.
        """
        if policy is GpuPolicy.NONE or not self.all:
            if policy is GpuPolicy.REQUIRED:
                raise NoGpu("This resource class needs a GPU, and this runner has none. Use another class.")
            yield None
            return
        with self._lock_file.open("w") as lock:
            _lock(lock, keep_waiting)
            yield self._first_free(keep_waiting, say)

    def _first_free(self, keep_waiting: Callable[[], None], say: Callable[[str], None]) -> str:
        while True:
            free = self._free()
            if any(device not in self._quarantined for device in free) or time.monotonic() >= self._next_look:
                self._look(free)
            sound = [device for device in free if device not in self._quarantined]
            if sound:
                return sound[0]
            say(self._why_none())
            keep_waiting()
            time.sleep(WAIT_SECONDS)

    def look_after(self) -> None:
        """After a run: what it has left on its device is found now, not by the next run. Never raises."""
        known = set(self._quarantined)
        try:
            for _look in range(SETTLE_LOOKS if self.all else 0):
                self._look(self._free())
                if known >= set(self._quarantined):
                    return
                time.sleep(WAIT_SECONDS)
        except Unavailable as error:
            log.warning("devices not looked at", error=str(error))

    def _free(self) -> list[str]:
        taken = self._engine.gpus_in_use()
        return [device for device in self.all if device not in taken]

    def _look(self, free: list[str]) -> None:
        """Only what is free before and after counts: a run that has just begun may use its memory."""
        self._next_look = time.monotonic() + RECHECK_SECONDS
        if not free:
            return
        used = self._engine.gpu_memory()
        still = set(self._free())
        for device in free:
            if device in still:
                self._judge(device, used.get(device))

    def _judge(self, device: str, used: int | None) -> None:
        if used is not None and used <= self._busy_bytes:
            if self._quarantined.pop(device, None):
                log.warning("device out of quarantine", gpu=device)
            return
        why = "the engine does not list it any more" if used is None else f"{used // MIB} MiB taken while nobody has it"
        if device not in self._quarantined:
            log.error("device in quarantine", gpu=device, why=why)
        self._quarantined[device] = why

    def _why_none(self) -> str:
        held_back = f", {len(self._quarantined)} of them in quarantine" if self._quarantined else ""
        return f"Waiting for a GPU: this runner has {len(self.all)}{held_back}, and none is free."


def _lock(file: IO[str], keep_waiting: Callable[[], None]) -> None:
    """Another process of this runner may hold the lock for as long as it waits for a device."""
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            keep_waiting()
            time.sleep(WAIT_SECONDS)
