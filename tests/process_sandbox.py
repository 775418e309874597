"""The twin of DockerEngine: runs a plain process without any wall. It is in tests/: no setting can select it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.errors import Unavailable
from core.domain.limits import EngineCapacity
from core.domain.metrics_place import NOT_PLAIN, Candidates
from core.ports.sandbox import CpuUse, Harvest, RunOutput, SandboxSpec, SandboxState, Stream


class ProcessSandbox:
    """One run as a local process. Its output goes to a file, from which a takeover reads it."""

    image_digest = "sha256:none"

    def __init__(
        self, spec: SandboxSpec, process: subprocess.Popen[bytes], out: Path, output: RunOutput, engine: ProcessEngine
    ) -> None:
        self._process, self._spec, self._out, self._engine, self._output = process, spec, out, engine, output
        self._detached = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(output,), daemon=True)
        self._reader.start()

    def _read(self, output: RunOutput) -> None:
        if not printed_by(self._out).exists():
            return
        with printed_by(self._out).open("rb") as record:
            record.seek(output.taken_of(Stream.STDOUT))
            while not self._detached.is_set():
                ended = self._process.poll() is not None
                while chunk := record.read(65536):
                    output.output(chunk, Stream.STDOUT)
                if ended:
                    return
                time.sleep(0.005)

    def state(self) -> SandboxState:
        if self._engine.away:
            raise Unavailable("The engine", "it is away")
        if (self._spec.job_id, self._spec.attempt) in self._engine.lost:
            self._process.kill()
            return SandboxState(exit_code=-1, interrupted=True)
        code = self._process.poll()
        return SandboxState(exit_code=None if code is None else 128 - code if code < 0 else code)

    def await_output_end(self, seconds: float) -> bool:
        self._reader.join(seconds)
        return not self._reader.is_alive()

    def peaks(self) -> Mapping[str, float]:
        return {"memory_bytes": 1.0}

    def cpu_use(self) -> CpuUse | None:
        return None

    def stop(self, *, grace_seconds: float) -> None:
        self._process.terminate()
        try:
            self._process.wait(min(grace_seconds, 0.5))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def harvest(self, into: Path) -> Harvest:
        self.await_output_end(5)
        self._output.settle()
        printed_by(self._out).unlink(missing_ok=True)  # removed with the container
        metrics = self._out / "metrics.json"
        if metrics.is_symlink() or metrics.is_dir():
            return Harvest(metrics_problem=NOT_PLAIN)
        candidates = Candidates()
        for path in self._out.rglob("*"):
            if path.is_file() and not path.is_symlink() and path != metrics:
                candidates.see(path.relative_to(self._out).as_posix())
                target = into / path.relative_to(self._out)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        found = metrics.read_bytes() if metrics.is_file() else None
        return Harvest(metrics=found, metrics_elsewhere=candidates.found)

    def detach(self) -> None:
        self._detached.set()
        self._reader.join(5)

    def remove(self, *, failed: bool = False) -> None:
        self._process.kill()
        self._process.wait(5)
        self._reader.join(5)
        self._output.settle()
        self._engine.remove_leftovers(self._spec.job_id, claim=self._spec.claim)


def printed_by(out: Path) -> Path:
    return out.with_name(f"printed-{out.name}")


def command_of(spec: SandboxSpec, out: Path) -> list[str]:
    return [sys.executable, spec.entrypoint, "--config", spec.config_file, "--output", str(out)]


@dataclass
class ProcessEngine:
    """SandboxPort for tests: `away` makes it raise Unavailable, `lost` names attempts that it loses."""

    root: Path
    away: bool = False
    devices: tuple[str, ...] = ()
    gpu_used: dict[str, int] = field(default_factory=dict)
    gpu_looks: int = 0
    taken: set[str] = field(default_factory=set)
    lost: set[tuple[str, int]] = field(default_factory=set)
    launched: list[SandboxSpec] = field(default_factory=list)
    adopted: list[SandboxSpec] = field(default_factory=list)
    processes: dict[tuple[str, str], subprocess.Popen[bytes]] = field(default_factory=dict)
    """By job and claim."""

    def launch(self, spec: SandboxSpec, output: RunOutput) -> ProcessSandbox:
        self.check()
        self.launched.append(spec)
        out = self._out(spec.job_id, spec.claim)
        out.mkdir(parents=True)
        with printed_by(out).open("wb") as record:
            process = subprocess.Popen(
                command_of(spec, out), cwd=spec.submission, stdin=subprocess.DEVNULL, stdout=record,
                stderr=subprocess.STDOUT,
                env={
                    "PYTHONUNBUFFERED": "1", "LEADERSBOARD_JOB": str(spec.config / "job.json"),
                    "LEADERSBOARD_DATA": str(spec.data),
                },
            )  # fmt: skip
        self.processes[spec.job_id, spec.claim] = process
        return ProcessSandbox(spec, process, out, output, self)

    def adopt(self, spec: SandboxSpec, output: RunOutput) -> ProcessSandbox | None:
        self.check()
        process = self.processes.get((spec.job_id, spec.claim))
        if process is None:
            return None
        self.adopted.append(spec)
        return ProcessSandbox(spec, process, self._out(spec.job_id, spec.claim), output, self)

    def kill(self, job_id: str, *, claim: str) -> None:
        self.processes[job_id, claim].kill()

    def kept_seconds(self, job_id: str, *, claim: str) -> float:
        return 0.0

    def _out(self, job_id: str, claim: str) -> Path:
        return self.root / f"out-{job_id}-{claim}"

    def remove_leftovers(self, job_id: str, *, claim: str | None = None) -> int:
        gone = [key for key in self.processes if key[0] == job_id and claim in {None, key[1]}]
        for key in gone:
            process = self.processes.pop(key)
            process.kill()
            process.wait(5)
            shutil.rmtree(self._out(*key), ignore_errors=True)
            printed_by(self._out(*key)).unlink(missing_ok=True)
        return len(gone)

    def runs(self, *, site: str | None = None) -> set[tuple[str, str]]:
        return set(self.processes) if site is None else set()

    def host_id(self) -> str:
        return "here"

    def versions(self) -> Mapping[str, str]:
        return {"Engine": "29.5.1", "runc": "1.3.6"}

    def remove_canaries(self, *, before: float) -> int:
        return 0

    def remove_of_processes(self, is_dead: Callable[[str], bool]) -> int:
        return 0

    def capacity(self) -> EngineCapacity:
        return EngineCapacity(cpus=2, memory_bytes=4 * 1024**3)

    def gpu_memory(self) -> dict[str, int]:
        self.gpu_looks += 1
        return {device: self.gpu_used.get(device, 0) for device in self.devices}

    def gpus_in_use(self) -> set[str]:
        return self.taken

    def check(self) -> None:
        if self.away:
            raise Unavailable("The engine", "it is away")
