"""Assigns devices to runs: whole ones, never shared. Labels of living containers say which are taken (BOX-5).

A device that no run has but whose memory is in use goes into quarantine: an earlier run or a foreign program is still
on it. It leaves quarantine when it is found free.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import structlog

from core.domain.errors import LeadersboardError, Unavailable
from core.domain.limits import GIB, MIB, GpuPolicy
from core.ports.sandbox import SandboxPort
from core.settings import Settings

WAIT_SECONDS = 1.0
SETTLE_LOOKS = 5
"""How often a device is looked at after a run, a second apart: a driver takes a moment to give memory back."""
RECHECK_SECONDS = 30.0

log = structlog.get_logger(__name__)


class NoGpu(LeadersboardError):
    """Raised when a class requires a GPU and the engine has none; use another class."""

    code = "no_gpu"


class _NoneNowError(Exception):
    """Raised instead of waiting."""


def _do_not_wait() -> None:
    raise _NoneNowError


class Gpus:
    """The engine's devices, listed once. A lock file keeps two runner processes from taking the same one."""

    def __init__(self, engine: SandboxPort, *, lock_file: Path, busy_bytes: int = GIB) -> None:
        self._engine = engine
        self._lock_file = lock_file
        self.busy_bytes = busy_bytes
        self._all: tuple[str, ...] | None = None
        self._quarantined: dict[str, str] = {}
        self._next_look = 0.0

    @classmethod
    def of(cls, settings: Settings, engine: SandboxPort, *, host: str) -> Gpus:
        """The devices of the engine of that name, by the site's settings."""
        return cls(engine, lock_file=settings.job_root / f".gpus-{host}", busy_bytes=settings.gpu_busy_bytes)

    @property
    def all(self) -> tuple[str, ...]:
        if self._all is None:
            self._all = tuple(self._engine.gpu_memory())
        return self._all

    @property
    def quarantined(self) -> Mapping[str, str]:
        """The quarantined devices, each with the reason; for the runner's report."""
        return dict(self._quarantined)

    @contextmanager
    def reserved(
        self, policy: GpuPolicy, *, check: Callable[[], None], say: Callable[[str], None] = lambda _why: None
    ) -> Iterator[str | None]:
        """Yields a free device, or None for the CPU. Start the container inside: its label then reserves the device.

        Waits while all are taken, and passes the reason to `say`; `check` is called each second and ends the
        wait by raising. Raises NoGpu.
        """
        if policy is GpuPolicy.NONE or not self.all:
            if policy is GpuPolicy.REQUIRED:
                raise NoGpu("This resource class needs a GPU, and this runner has none. Use another class.")
            yield None
            return
        with self._lock_file.open("w") as lock:
            _lock(lock, check)
            yield self._first_free(check, say)

    @contextmanager
    def reserved_at_once(self) -> Iterator[str | None]:
        """Yields a free and sound device; None where a job would have to wait for one."""
        with ExitStack() as held:
            try:
                device = held.enter_context(self.reserved(GpuPolicy.AUTO, check=_do_not_wait))
            except _NoneNowError:
                device = None
            yield device

    def given_back(self, device: str) -> int | None:
        """Bytes in use on a device that no run has, once they are few, or after SETTLE_LOOKS; None: not listed."""
        used: int | None = None
        for look in range(SETTLE_LOOKS):
            time.sleep(WAIT_SECONDS if look else 0.0)
            used = self._engine.gpu_memory().get(device)
            if used is not None and used <= self.busy_bytes:
                break
        return used

    def _first_free(self, check: Callable[[], None], say: Callable[[str], None]) -> str:
        while True:
            free = self._free()
            if any(device not in self._quarantined for device in free) or time.monotonic() >= self._next_look:
                self._look(free)
            sound = [device for device in free if device not in self._quarantined]
            if sound:
                return sound[0]
            say(self._why_none())
            check()
            time.sleep(WAIT_SECONDS)

    def look_after(self) -> None:
        """Call after a run: finds now, and not at the next run, what it left on its device. Never raises."""
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
        """Judges only devices that are free before and after the reading: a run that has just begun may use one."""
        self._next_look = time.monotonic() + RECHECK_SECONDS
        if not free:
            return
        used = self._engine.gpu_memory()
        still = set(self._free())
        for device in free:
            if device in still:
                self._judge(device, used.get(device))

    def _judge(self, device: str, used: int | None) -> None:
        if used is not None and used <= self.busy_bytes:
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


def _lock(file: IO[str], check: Callable[[], None]) -> None:
    """Takes the lock; another process of this host may keep it for as long as it waits for a device."""
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            check()
            time.sleep(WAIT_SECONDS)
