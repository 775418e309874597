"""SandboxPort on a Docker engine: one throwaway container per run; nothing waits on the engine without a deadline."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import docker
import docker.errors
from docker.models.containers import Container

from core.domain.errors import Unavailable
from core.domain.limits import EngineCapacity
from core.ports.sandbox import Harvest, SandboxSpec, SandboxState
from runner.container_spec import LABEL, job_options, probe_options
from runner.engine_errors import engine_errors
from runner.output_volume import OutputVolume

CALL_SECONDS = 60
SAMPLE_SECONDS = 1.0
DRAIN_SECONDS = 5.0


class DockerSandbox:
    """One run in the engine: its container, its output volume, the thread that reads what it prints."""

    def __init__(self, container: Container, volume: OutputVolume, image_digest: str) -> None:
        self._container = container
        self._volume = volume
        self._digest = image_digest
        self._output_ended = threading.Event()
        self._peaks: dict[str, float] = {}
        self._next_sample = 0.0

    @property
    def image_digest(self) -> str:
        return self._digest

    def start(self, socket: str, output: Callable[[bytes], None]) -> None:
        """Attach first, then start: the first byte is not missed."""
        stream_client = docker.APIClient(base_url=socket, timeout=CALL_SECONDS)
        stream: Any = stream_client.attach(str(self._container.id), stdout=True, stderr=True, stream=True, logs=True)
        reader = threading.Thread(
            target=self._read, args=(stream_client, stream, output), daemon=True, name="log reader"
        )
        reader.start()
        self._container.start()

    def _read(self, client: docker.APIClient, stream: Any, output: Callable[[bytes], None]) -> None:
        try:
            with contextlib.suppress(Exception):  # a broken stream ends the text, never the run: `state` decides that
                for chunk in stream:
                    output(chunk)
        finally:
            self._output_ended.set()
            stream._response.close()  # noqa: SLF001 the stream's own `close` leaves its connection open
            client.close()

    def state(self) -> SandboxState:
        with engine_errors():
            try:
                self._container.reload()
            except docker.errors.NotFound:
                return SandboxState(exit_code=-1, interrupted=True)
            state = self._container.attrs["State"]
            if state["Status"] in {"created", "running", "paused", "restarting"}:
                return SandboxState(exit_code=None)
            lost = (
                state["Dead"] or not self._volume.is_kept()
            )  # an engine that stops takes the holder down with the run
        return SandboxState(exit_code=state["ExitCode"], out_of_memory=state["OOMKilled"], interrupted=lost)

    def await_output_end(self, seconds: float) -> bool:
        return self._output_ended.wait(seconds)

    def peaks(self) -> Mapping[str, float]:
        if time.monotonic() >= self._next_sample:
            self._next_sample = time.monotonic() + SAMPLE_SECONDS
            with contextlib.suppress(Unavailable), engine_errors():
                self._sample(self._container.stats(stream=False, one_shot=True))
        return dict(self._peaks)

    def _sample(self, stats: Any) -> None:
        memory = stats.get("memory_stats", {})
        seen = {
            "memory_bytes": max(memory.get("usage", 0), memory.get("max_usage", 0)),
            "pids": stats.get("pids_stats", {}).get("current", 0),
            "cpu_seconds": stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage", 0) / 1e9,
        }
        for name, value in seen.items():
            if value:  # a container that has just started or just ended has no figures
                self._peaks[name] = max(self._peaks.get(name, 0.0), float(value))

    def stop(self, *, grace_seconds: float) -> None:
        with engine_errors(), contextlib.suppress(docker.errors.NotFound):
            self._container.stop(timeout=int(grace_seconds))

    def harvest(self, into: Path) -> Harvest:
        self.await_output_end(DRAIN_SECONDS)
        with engine_errors():
            _remove(self._container)
            return self._volume.harvest(into)

    def remove(self) -> None:
        with engine_errors():
            _remove(self._container)
            _remove(self._volume.holder)
            with contextlib.suppress(docker.errors.NotFound):
                self._volume.volume.remove(force=True)


class DockerEngine:
    """The engine behind its unix socket. Lives as long as its process; `close` ends the connections."""

    def __init__(self, socket: str, *, site: str, image: str, seccomp: str) -> None:
        self._socket = socket
        self._site = site
        self._image = image
        self._seccomp = seccomp
        self._client = docker.DockerClient(base_url=socket, timeout=CALL_SECONDS)

    def close(self) -> None:
        self._client.close()

    def launch(self, spec: SandboxSpec, output: Callable[[bytes], None]) -> DockerSandbox:
        self.remove_leftovers(spec.job_id)
        with engine_errors():
            image_id = self._image_id(spec.image)
            try:
                volume = OutputVolume.create(self._client, spec, image_id=image_id, seccomp=self._seccomp)
                options = job_options(spec, image_id=image_id, seccomp=self._seccomp)
                sandbox = DockerSandbox(self._client.containers.create(**options), volume, image_id)
                sandbox.start(self._socket, output)
            except BaseException:  # whatever ends it, a half-made sandbox stays behind for nobody; raised on
                with contextlib.suppress(Unavailable):
                    self.remove_leftovers(spec.job_id)
                raise
        return sandbox

    def _image_id(self, name: str) -> str:
        try:
            return str(self._client.images.get(name).id)
        except docker.errors.ImageNotFound as error:
            raise Unavailable("The sandbox engine", f"it has no image {name!r}; scripts/setup builds it") from error

    def remove_leftovers(self, job_id: str) -> int:
        with engine_errors():
            found = self._containers(f"{LABEL}.job={job_id}")
            for container in found:
                _remove(container)
            return len(found) + _remove_volumes(self._client, job_id)

    def _containers(self, label: str) -> list[Container]:
        """All that carry the label, also those of other sites that share this engine."""
        found: list[Container] = self._client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        return found

    def job_ids(self) -> set[str]:
        with engine_errors():
            mine = f"{LABEL}.site={self._site}"
            things = [*self._containers(mine), *self._client.volumes.list(filters={"label": mine})]
            return {job_id for thing in things if (job_id := _labels(thing).get(f"{LABEL}.job"))}

    def capacity(self) -> EngineCapacity:
        with engine_errors():
            info = self._client.info()
        return EngineCapacity(cpus=info["NCPU"], memory_bytes=info["MemTotal"])

    def gpus(self) -> tuple[str, ...]:
        """Asked of `nvidia-smi`, which the engine's toolkit brings into a container that requests all devices."""
        with engine_errors():
            try:
                probe = self._client.containers.create(**probe_options(self._site, self._image_id(self._image)))
            except docker.errors.APIError:  # it answers, and has no driver for such a request
                return ()
            try:
                probe.start()
                probe.wait(timeout=CALL_SECONDS)
                answer: bytes = probe.logs(stdout=True, stderr=False)
            except docker.errors.APIError:  # no toolkit that would bring nvidia-smi
                return ()
            finally:
                _remove(probe)
        return tuple(line.strip() for line in answer.decode(errors="replace").splitlines() if line.startswith("GPU-"))

    def gpus_in_use(self) -> set[str]:
        with engine_errors():
            return {_labels(container)[f"{LABEL}.gpu"] for container in self._containers(f"{LABEL}.gpu")}

    def check(self) -> None:
        with engine_errors():
            self._image_id(self._image)


def _labels(thing: Any) -> dict[str, str]:
    found: dict[str, str] = thing.labels if isinstance(thing, Container) else thing.attrs["Labels"]
    return found


def _remove(container: Container) -> None:
    """Gone afterwards, also when somebody else is removing it at this moment."""
    try:
        container.remove(force=True, v=True)
    except docker.errors.NotFound:
        return
    except docker.errors.APIError as error:
        if error.status_code != HTTPStatus.CONFLICT:
            raise
        with contextlib.suppress(docker.errors.NotFound):
            container.wait(condition="removed", timeout=CALL_SECONDS)


def _remove_volumes(client: docker.DockerClient, job_id: str) -> int:
    found = client.volumes.list(filters={"label": f"{LABEL}.job={job_id}"})
    for volume in found:
        with contextlib.suppress(docker.errors.NotFound):
            volume.remove(force=True)
    return len(found)
