"""The canary: a hostile probe of our own, run as a job would be, that says whether jobs may be run here (BOX-12)."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import structlog

from core.domain.canary import CanaryReport, CanaryRow
from core.domain.errors import LeadersboardError
from core.domain.limits import MIB, ResourceClass
from core.ports.sandbox import RunOutput, Sandbox, SandboxSpec, Stream
from core.ports.weights import WeightsPort
from runner.canary import checks
from runner.canary.cpu import CpuSamples
from runner.guest import canary_limits, canary_walls

PATIENCE_SECONDS = 60.0
"""Limit for one probe, which takes one or two seconds; a probe that does not end is red."""
MOST_PRINTED = MIB
LOWERED: Mapping[str, int | float] = {
    "cpus": 0.5, "memory_bytes": 256 * MIB, "pids": 128, "output_bytes": 8 * MIB, "output_files": 64,
    "tmp_bytes": 8 * MIB, "job_bytes": 8 * MIB, "shm_bytes": 8 * MIB,
}  # fmt: skip
"""Limits that a probe can run into within two seconds."""
WALLS, LIMITS = "canary_walls.py", "canary_limits.py"
PROGRAMS = {WALLS: Path(canary_walls.__file__), LIMITS: Path(canary_limits.__file__)}
BOUNDS = ("memory_bytes", "pids", "output_bytes", "output_files", "tmp_bytes", "job_bytes", "shm_bytes")

log = structlog.get_logger(__name__)


class CanaryEngine(Protocol):
    """The engine, as far as a probe needs it."""

    def launch(self, spec: SandboxSpec, output: RunOutput) -> Sandbox: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """Probes each class with its exact options, and every limit by running into it in a lowered class."""

    engine: CanaryEngine
    resource_classes: Sequence[ResourceClass]
    image: str
    site: str
    folder: Path
    """A folder of ours that the engine sees at the same path."""
    runtime: str = "runc"
    process: str = ""
    """The mark of the process that probes."""
    weights: WeightsPort | None = None
    """The site's weights, which a probe finds as a run would."""

    def __call__(self) -> CanaryReport:
        """Probes now. Never raises for what the engine does: what cannot be probed is red."""
        at, began = datetime.now(UTC), time.monotonic()
        rows = tuple(self._rows())
        return CanaryReport(at=at, seconds=time.monotonic() - began, rows=rows)

    def _rows(self) -> Iterator[CanaryRow]:
        try:
            self._prepare()
            for limits in self.resource_classes:
                rules = checks.wall_rules(limits, self.runtime)
                yield from checks.rows(rules, self._run("walls", limits), limits.name)
            lowered = lower(self.resource_classes[0])
            rules = checks.limit_rules(lowered, self.runtime)
            yield from checks.rows(rules, self._run_into_limits(lowered), lowered.name)
        except (LeadersboardError, OSError) as error:
            yield CanaryRow(check="probe", resource_class="all", expected="it runs", found=str(error)[:200], ok=False)

    def _prepare(self) -> None:
        """Writes the programs and their bounds, each by one rename: other processes of this host use them, too."""
        lowered = lower(self.resource_classes[0])
        for name, program in PROGRAMS.items():
            _place(self.folder / "program" / name, program.read_text())
        _place(self.folder / "config" / "bounds.json", json.dumps({name: getattr(lowered, name) for name in BOUNDS}))

    def _run_into_limits(self, limits: ResourceClass) -> Mapping[str, Any]:
        """Runs the probe of limits; if the limit on processes ended it, runs it again for memory alone."""
        found = dict(self._run("limits", limits))
        if found.pop("processes, tried", False) and "processes" not in found:
            found["processes"] = "ended"
        if "memory, tried" not in found:
            found |= self._run("memory", limits)
        return found

    def _run(self, mode: str, limits: ResourceClass) -> Mapping[str, Any]:
        """What one probe printed, and for memory, if it tried that, whether the kernel ended it."""
        printed, cpu = Printed(), CpuSamples()
        sandbox = self.engine.launch(self._spec(mode, limits), printed)
        try:
            state = _end_of(sandbox, cpu)
            sandbox.await_output_end(PATIENCE_SECONDS)
        finally:
            sandbox.remove()
        found = printed.findings()
        found.pop("cpu", None)
        if found.pop("cpu, tried", False) and (used := cpu.finding()):
            found["cpu"] = used
        if found.pop("memory, tried", False):
            found = {"memory": "ended" if state else "gone, and not for its memory", **found, "memory, tried": True}
        return found

    def _spec(self, mode: str, limits: ResourceClass) -> SandboxSpec:
        return SandboxSpec(
            site=self.site,
            job_id=f"{int(time.time())}-{secrets.token_hex(6)}",
            attempt=1,
            claim=mode,
            user_id="canary",
            entrypoint=WALLS if mode == "walls" else LIMITS,
            config_file=mode,
            limits=limits,
            image=self.image,
            submission=self.folder / "program",
            config=self.folder / "config",
            weights=self.weights.folder() if self.weights else None,
            role="canary",
            process=self.process,
        )


@dataclass(kw_only=True)
class Printed:
    """Collects what a probe prints, up to MOST_PRINTED bytes."""

    held: bytearray = field(default_factory=bytearray)

    def output(self, chunk: bytes, stream: Stream) -> None:
        if stream is Stream.STDOUT and len(self.held) < MOST_PRINTED:
            self.held += chunk

    def taken_of(self, _stream: Stream) -> int:
        return 0

    def incomplete(self) -> None:
        """Does nothing: missing findings are red anyway."""

    def settle(self) -> None:
        """Does nothing: the output is not kept on disk."""

    def findings(self) -> dict[str, Any]:
        """One finding per check; lines that are no findings are skipped."""
        found: dict[str, Any] = {}
        for line in bytes(self.held).splitlines():
            try:
                told = json.loads(line)
                found[str(told["check"])] = told["found"]
            except (ValueError, TypeError, KeyError):
                continue
        return found


def lower(limits: ResourceClass) -> ResourceClass:
    """The same class with limits that a probe reaches quickly."""
    lowered = {name: min(bound, getattr(limits, name)) for name, bound in LOWERED.items()}
    return limits.model_copy(update={"name": f"{limits.name}, lowered", **lowered})


def _end_of(sandbox: Sandbox, cpu: CpuSamples) -> bool:
    """Waits for the probe, and stops it after PATIENCE_SECONDS; samples its CPU time meanwhile.

    Returns whether the kernel ended it for its memory.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not (state := sandbox.state()).ended:
        if time.monotonic() > deadline:
            sandbox.stop(grace_seconds=0)
            break
        cpu.add(sandbox.cpu_use())
        sandbox.await_output_end(0.05)
        pause.wait(0.02)
    return state.out_of_memory


def _place(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    part.write_text(text)
    part.replace(path)
