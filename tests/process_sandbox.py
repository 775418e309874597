"""The twin of DockerEngine: a plain process without any wall. It lives among the tests: no setting can reach it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.errors import Unavailable
from core.domain.limits import EngineCapacity
from core.ports.sandbox import Harvest, SandboxSpec, SandboxState


class ProcessSandbox:
    """One run as a process of this machine."""

    image_digest = "sha256:none"

    def __init__(self, spec: SandboxSpec, out: Path, output: Callable[[bytes], None], engine: ProcessEngine) -> None:
        command = [sys.executable, spec.entrypoint, "--config", spec.config_file, "--output", str(out)]
        self._process = subprocess.Popen(
            command, cwd=spec.submission, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"PYTHONUNBUFFERED": "1", "LEADERSBOARD_JOB": str(spec.config / "job.json")},
        )  # fmt: skip
        self._spec, self._out, self._engine = spec, out, engine
        self._reader = threading.Thread(target=self._read, args=(output,), daemon=True)
        self._reader.start()

    def _read(self, output: Callable[[bytes], None]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            while chunk := stream.read1(65536):  # type: ignore[attr-defined]
                output(chunk)

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

    def stop(self, *, grace_seconds: float) -> None:
        self._process.terminate()
        try:
            self._process.wait(min(grace_seconds, 0.5))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def harvest(self, into: Path) -> Harvest:
        self.await_output_end(5)
        metrics = self._out / "metrics.json"
        if metrics.is_symlink() or metrics.is_dir():
            return Harvest(metrics_problem="it is not a plain file")
        for path in self._out.rglob("*"):
            if path.is_file() and not path.is_symlink() and path != metrics:
                target = into / path.relative_to(self._out)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        return Harvest(metrics=metrics.read_bytes() if metrics.is_file() else None)

    def remove(self) -> None:
        self._process.kill()
        self._process.wait(5)
        self._reader.join(5)
        self._engine.remove_leftovers(self._spec.job_id)


@dataclass
class ProcessEngine:
    """SandboxPort for tests: `away` makes it refuse, `lost` names attempts that it forgets."""

    root: Path
    away: bool = False
    devices: tuple[str, ...] = ()
    taken: set[str] = field(default_factory=set)
    lost: set[tuple[str, int]] = field(default_factory=set)
    launched: list[SandboxSpec] = field(default_factory=list)

    def launch(self, spec: SandboxSpec, output: Callable[[bytes], None]) -> ProcessSandbox:
        self.check()
        self.launched.append(spec)
        out = self.root / f"out-{spec.job_id}"
        out.mkdir(parents=True)
        return ProcessSandbox(spec, out, output, self)

    def remove_leftovers(self, job_id: str) -> int:
        out = self.root / f"out-{job_id}"
        found = out.exists()
        shutil.rmtree(out, ignore_errors=True)
        return int(found)

    def job_ids(self) -> set[str]:
        return {path.name.removeprefix("out-") for path in self.root.glob("out-*")}

    def capacity(self) -> EngineCapacity:
        return EngineCapacity(cpus=2, memory_bytes=4 * 1024**3)

    def gpus(self) -> tuple[str, ...]:
        return self.devices

    def gpus_in_use(self) -> set[str]:
        return self.taken

    def check(self) -> None:
        if self.away:
            raise Unavailable("The engine", "it is away")
