"""Clears away what goes with its process: probes and installers in the engine, staging on disk, of dead processes."""

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
"""Longer than a file of a probe is in the making."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Janitor:
    """Safe in every runner at once; of two processes of one host neither removes what the other still uses."""

    engine: SandboxPort
    processes: LivingProcesses
    cache: DependencyCache
    mark: str = ""
    """Of this process."""

    def of_the_dead(self) -> Iterator[tuple[str, int]]:
        """Of processes of this host that are known to have ended: what kind of things, and how many."""
        self.processes.touch()
        yield "things of a dead process", self.engine.remove_of_processes(self.processes.is_dead)
        yield "staging", self.cache.clear(self.processes.is_dead)
        yield "process", sum(1 for _mark in self.processes.forget())

    def old(self) -> Iterator[tuple[str, int]]:
        """Of processes of which nothing else is known: of older versions, other folders, or storage without locks."""
        yield "canary", self.engine.remove_canaries(before=time.time() - OLD_SECONDS)
        yield "part", sum(1 for _path in self._old_parts())

    def _old_parts(self) -> Iterator[Path]:
        """Of programs of the canary that were being put in place."""
        for path in self.processes.job_root.glob(".canary/*/.*"):
            try:
                is_old = path.stat().st_mtime < time.time() - PART_SECONDS
            except FileNotFoundError:
                continue
            if is_old:
                path.unlink(missing_ok=True)
                yield path
