"""Removes what dead processes left: probes and installers in the engine, staging on disk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.ports.sandbox import SandboxPort
from runner.lease.living_processes import LivingProcesses
from runner.requirements.cache import DependencyCache

OLD_SECONDS = 180.0
"""Longer than a probe can take."""
PART_SECONDS = 60.0
"""Longer than a file of a probe takes to write."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Janitor:
    """Safe in every runner at once; no process removes what another process of its host still uses."""

    engine: SandboxPort
    processes: LivingProcesses
    cache: DependencyCache
    mark: str = ""
    """This process's own."""

    def of_the_dead(self) -> Iterator[tuple[str, int]]:
        """Removes what ended processes of this host left; yields each kind of thing with the number removed."""
        self.processes.touch()
        yield "things of a dead process", self.engine.remove_of_processes(self.processes.is_dead)
        yield "staging", self.cache.clear(self.processes.is_dead)
        yield "process", sum(1 for _mark in self.processes.forget())

    def old(self) -> Iterator[tuple[str, int]]:
        """Removes by age what carries no known process: of older versions, other folders, or storage without locks."""
        yield "canary", self.engine.remove_canaries(before=time.time() - OLD_SECONDS)
        yield "part", sum(1 for _path in self._old_parts())

    def _old_parts(self) -> Iterator[Path]:
        """Removes temporary files of the canary's programs, and yields them."""
        for path in self.processes.job_root.glob(".canary/*/.*"):
            try:
                is_old = path.stat().st_mtime < time.time() - PART_SECONDS
            except FileNotFoundError:
                continue
            if is_old:
                path.unlink(missing_ok=True)
                yield path
