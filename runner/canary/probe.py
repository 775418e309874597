"""The canary: a hostile probe of our own, run as a job would be, that says whether jobs may be run here (BOX-12)."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import structlog

from core.domain.canary import CanaryReport, CanaryRow
from core.domain.errors import LeadersboardError
from core.domain.limits import MIB, GpuPolicy, ResourceClass
from core.domain.visible_text import visible
from core.ports.sandbox import RunOutput, Sandbox, SandboxSpec, SandboxState
from core.ports.weights import WeightsPort
from runner.canary import checks
from runner.canary.cpu import CpuSamples
from runner.canary.gpu import gpu_rows
from runner.canary.printed import Printed
from runner.gpus import Gpus
from runner.guest import canary_gpu, canary_limits, canary_walls

PATIENCE_SECONDS = 60.0
"""Limit for one probe, which takes one or two seconds; a probe that does not end is red."""
LOWERED: Mapping[str, int | float] = {
    "cpus": 0.5, "memory_bytes": 256 * MIB, "pids": 128, "output_bytes": 8 * MIB, "output_files": 64,
    "tmp_bytes": 8 * MIB, "job_bytes": 8 * MIB, "shm_bytes": 8 * MIB,
}  # fmt: skip
"""Limits that a probe can run into within two seconds."""
PROGRAMS: Mapping[str, Any] = {
    "walls": canary_walls, "limits": canary_limits, "memory": canary_limits, "gpu": canary_gpu,
}  # fmt: skip
"""The program of each kind of probe."""
LONGEST_FOUND = 200
BOUNDS = ("memory_bytes", "pids", "output_bytes", "output_files", "tmp_bytes", "job_bytes", "shm_bytes")

log = structlog.get_logger(__name__)


class CanaryEngine(Protocol):
    """The engine, as far as a probe needs it."""

    def launch(self, spec: SandboxSpec, output: RunOutput) -> Sandbox: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How a probe ended, and what it had found out by then."""

    code: int | None
    """None: it did not end in PATIENCE_SECONDS."""
    last_error: str
    found: Mapping[str, Any]

    @property
    def words(self) -> str:
        ended = "no end" if self.code is None else f"exit code {self.code}"
        return f"{ended}: {self.last_error}" if self.last_error else ended


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """Probes each class with its exact options, and every limit by running into it in a lowered class."""

    engine: CanaryEngine
    resource_classes: Sequence[ResourceClass]
    image: str
    """The site's; a class may have another."""
    site: str
    folder: Path
    """A folder of ours that the engine sees at the same path."""
    gpus: Gpus | None = None
    """None: no device is tried."""
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
        except OSError as error:
            yield _not_run("all", error)
            return
        for limits in self.resource_classes:
            yield from _or_red(limits.name, partial(self._walls_of, limits))
        if (gpus := self.gpus) is not None:
            for limits in self._with_devices():
                yield from _or_red(limits.name, partial(self._gpu_of, gpus, limits))
        lowered = lower(self.resource_classes[0])
        yield from _or_red(lowered.name, partial(self._limits_of, lowered))

    def _walls_of(self, limits: ResourceClass) -> list[CanaryRow]:
        """Without a single finding only the row that says why: the image's Python does not run our program."""
        end = self._run("walls", limits)
        start = CanaryRow(
            check="start", resource_class=limits.name, expected="sh and python run a program and end with 0",
            found=end.words, ok=end.code == 0 and bool(end.found),
        )  # fmt: skip
        rules = checks.wall_rules(limits, self.runtime) if end.found else ()
        return [start, *checks.rows(rules, end.found, limits.name)]

    def _with_devices(self) -> Iterator[ResourceClass]:
        """The first class of each image that is given devices."""
        seen = set()
        for limits in self.resource_classes:
            if limits.gpus is not GpuPolicy.NONE and limits.image not in seen:
                seen.add(limits.image)
                yield limits

    def _gpu_of(self, gpus: Gpus, limits: ResourceClass) -> list[CanaryRow]:
        return list(gpu_rows(gpus, limits, lambda device: self._run("gpu", limits, gpu=device).found))

    def _limits_of(self, limits: ResourceClass) -> list[CanaryRow]:
        return list(checks.rows(checks.limit_rules(limits, self.runtime), self._run_into_limits(limits), limits.name))

    def _prepare(self) -> None:
        """Writes the programs and their bounds, each by one rename: other processes of this host use them, too."""
        lowered = lower(self.resource_classes[0])
        for program in map(Path, {module.__file__ for module in PROGRAMS.values()}):
            _place(self.folder / "program" / program.name, program.read_text())
        _place(self.folder / "config" / "bounds.json", json.dumps({name: getattr(lowered, name) for name in BOUNDS}))

    def _run_into_limits(self, limits: ResourceClass) -> Mapping[str, Any]:
        """Runs the probe of limits; if the limit on processes ended it, runs it again for memory alone."""
        found = dict(self._run("limits", limits).found)
        if found.pop("processes, tried", False) and "processes" not in found:
            found["processes"] = "ended"
        if "memory, tried" not in found:
            found |= self._run("memory", limits).found
        return found

    def _run(self, mode: str, limits: ResourceClass, *, gpu: str | None = None) -> End:
        """How a probe ended and what it printed; for memory, if it tried that, whether the kernel ended it."""
        printed, cpu = Printed(), CpuSamples()
        sandbox = self.engine.launch(self._spec(mode, limits, gpu), printed)
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
            found = {
                "memory": "ended" if state.out_of_memory else "gone, and not for its memory",
                **found,
                "memory, tried": True,
            }
        return End(code=state.exit_code, last_error=printed.last_error(), found=found)

    def _spec(self, mode: str, limits: ResourceClass, gpu: str | None = None) -> SandboxSpec:
        return SandboxSpec(
            site=self.site,
            job_id=f"{int(time.time())}-{secrets.token_hex(6)}",
            attempt=1,
            claim=mode,
            user_id="canary",
            entrypoint=Path(PROGRAMS[mode].__file__).name,
            config_file=mode,
            limits=limits,
            image=limits.image_of(self.image),
            submission=self.folder / "program",
            config=self.folder / "config",
            weights=self.weights.folder() if self.weights else None,
            gpu=gpu,
            role="canary",
            process=self.process,
        )


def lower(limits: ResourceClass) -> ResourceClass:
    """The same class with limits that a probe reaches quickly."""
    lowered = {name: min(bound, getattr(limits, name)) for name, bound in LOWERED.items()}
    return limits.model_copy(update={"name": f"{limits.name}, lowered", **lowered})


def _or_red(resource_class: str, probe: Callable[[], list[CanaryRow]]) -> list[CanaryRow]:
    """The rows of a probe; one red row when the engine cannot run it."""
    try:
        return probe()
    except (LeadersboardError, OSError) as error:
        return [_not_run(resource_class, error)]


def _not_run(resource_class: str, error: Exception) -> CanaryRow:
    found = visible(str(error))[:LONGEST_FOUND]
    return CanaryRow(check="probe", resource_class=resource_class, expected="it runs", found=found, ok=False)


def _end_of(sandbox: Sandbox, cpu: CpuSamples) -> SandboxState:
    """Waits for the probe, and stops it after PATIENCE_SECONDS; samples its CPU time meanwhile."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not (state := sandbox.state()).ended:
        if time.monotonic() > deadline:
            sandbox.stop(grace_seconds=0)
            break
        cpu.add(sandbox.cpu_use())
        sandbox.await_output_end(0.05)
        pause.wait(0.02)
    return state


def _place(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    part.write_text(text)
    part.replace(path)
