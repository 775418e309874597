"""One run in a real Docker engine: watched, stopped, read, removed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import docker.errors
from docker.models.containers import Container

from core.ports.sandbox import CpuUse, Harvest, SandboxState
from runner.engine.errors import engine_errors
from runner.engine.output.stream import OutputStream
from runner.engine.output.usage import Peaks, cpu_use
from runner.engine.output.volume import OutputVolume
from runner.engine.resources import remove

DRAIN_SECONDS = 5.0


class DockerSandbox:
    """One run in the engine: its container, its output volume, the thread that reads what it prints."""

    def __init__(
        self,
        container: Container | None,
        volume: OutputVolume,
        output: OutputStream | None,
        *,
        peaks: Peaks,
        keeps_failed: bool,
    ) -> None:
        self._container, self._keeps_failed, self._peaks = container, keeps_failed, peaks
        self._volume = volume
        self._output = output

    @property
    def image_digest(self) -> str:
        return str(self._volume.holder.attrs["Image"])

    def state(self) -> SandboxState:
        with engine_errors():
            try:
                if self._container is None:
                    return SandboxState(exit_code=-1, interrupted=True)
                self._container.reload()
            except docker.errors.NotFound:
                return SandboxState(exit_code=-1, interrupted=True)
            state = self._container.attrs["State"]
            if state["Status"] in {"created", "running", "paused", "restarting"}:
                return SandboxState(exit_code=None)
            lost = (
                state["Dead"] or not self._volume.is_kept()
            )  # an engine that stops takes the holder down with the run
        return SandboxState(
            exit_code=state["ExitCode"], out_of_memory=state["OOMKilled"], interrupted=lost, ran_seconds=_ran(state)
        )

    def await_output_end(self, seconds: float) -> bool:
        return self._output is None or self._output.ended.wait(seconds)

    def peaks(self) -> Mapping[str, float]:
        return self._peaks.seen()

    def cpu_use(self) -> CpuUse | None:
        return None if self._container is None else cpu_use(self._container)

    def stop(self, *, grace_seconds: float) -> None:
        with engine_errors(), contextlib.suppress(docker.errors.NotFound):
            if self._container is not None:
                self._container.stop(timeout=int(grace_seconds))

    def harvest(self, into: Path) -> Harvest:
        self.await_output_end(DRAIN_SECONDS)
        self._settle()
        with engine_errors():
            if self._keeps_failed:
                self.stop(grace_seconds=0)
            else:
                remove(self._container)
            return self._volume.harvest(into)

    def _settle(self) -> None:
        """Call before the container is removed: the engine's record of its output goes with it."""
        if self._output is not None:
            self._output.settle()

    def detach(self) -> None:
        if self._output is not None:
            self._output.close()

    def remove(self, *, failed: bool = False) -> None:
        self.detach()
        self._settle()
        with engine_errors():
            remove(self._volume.holder)
            if failed and self._keeps_failed:
                return  # its volume goes with it, and is empty without a holder
            remove(self._container)
            with contextlib.suppress(docker.errors.NotFound):
                self._volume.volume.remove(force=True)


def _ran(state: Mapping[str, str]) -> float | None:
    """Seconds from the program's start to its end, by the host's clock; None where that clock went backwards."""
    began, ended = (datetime.fromisoformat(state[name]) for name in ("StartedAt", "FinishedAt"))
    seconds = (ended - began).total_seconds()
    return seconds if seconds >= 0 else None
