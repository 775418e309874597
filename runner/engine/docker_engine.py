"""SandboxPort on a Docker engine: one throwaway container per run. Every call to the engine has a deadline."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import docker
import docker.errors
from docker.models.containers import Container

from core.domain.errors import Unavailable
from core.domain.limits import EngineCapacity
from core.ports.sandbox import RunOutput, SandboxSpec
from runner.engine import gvisor
from runner.engine.container_spec import CANARY, LABEL, PLAIN, PROCESS, EngineMeans, job_options, owner
from runner.engine.docker_sandbox import DockerSandbox
from runner.engine.errors import NoImage, engine_errors
from runner.engine.gpu_probe import probe, probe_options, standing_options
from runner.engine.output.stream import OutputStream
from runner.engine.output.usage import Peaks
from runner.engine.output.volume import OutputVolume
from runner.engine.resources import (
    CALL_SECONDS,
    begun,
    created,
    found,
    kept_seconds,
    labels_of,
    remove,
    remove_networks,
    remove_volumes,
)
from runner.engine.standing_probe import StandingProbe


class DockerEngine:
    """The engine behind its unix socket. Lives as long as its process; `close` ends the connections."""

    def __init__(
        self,
        socket: str,
        *,
        site: str,
        image: str,
        seccomp: str,
        means: EngineMeans = PLAIN,
        process: str = "",
        more_images: Collection[str] = (),
    ) -> None:
        """`process` is the mark of this process; it labels what is removed once the process is gone.

        `more_images` are those that it must have beside `image`, for resource classes with one of their own.
        """
        self._socket, self._process = socket, process
        self._means = means
        self._site = site
        self._image = image
        self._images = sorted({image, *more_images})
        self._seccomp = seccomp
        self._job_seccomp = gvisor.system_calls(seccomp) if means.runtime == gvisor.RUNTIME else seccomp
        self._client = docker.DockerClient(base_url=socket, timeout=CALL_SECONDS)
        self._standing = StandingProbe(self._client, self._standing_options)

    def close(self) -> None:
        self._standing.close()
        self._client.close()

    def launch(self, spec: SandboxSpec, output: RunOutput) -> DockerSandbox:
        with engine_errors():
            image_id = self._image_id(spec.image)
            try:
                volume = OutputVolume.create(self._client, spec, image_id=image_id, seccomp=self._seccomp)
                options = job_options(
                    spec, image_id=image_id, seccomp=self._job_seccomp, slot=volume.slot, means=self._means
                )
                container = self._client.containers.create(**options)
                stream = self._stream(container, output)
                stream.attach()  # before the start: the first byte is not missed
                container.start()
            except BaseException:  # no half-made sandbox stays behind; raised on
                with contextlib.suppress(Unavailable):  # only ours: the job may be another runner's by now
                    self._remove(owner(spec), f"{LABEL}.claim={spec.claim}")
                raise
        return self._sandbox(spec, container, volume, stream)

    def adopt(self, spec: SandboxSpec, output: RunOutput) -> DockerSandbox | None:
        """Takes over a run; one whose container is gone and whose output is kept was being harvested."""
        with engine_errors():
            volume = OutputVolume.found(self._client, spec)
            container = found(self._client, spec.name)
            if volume is None or (container is not None and container.status == "created"):
                return None
            if container is None:
                return self._sandbox(spec, None, volume, None)
            stream = self._stream(container, output)
            stream.follow()
        return self._sandbox(spec, container, volume, stream)

    def _stream(self, container: Container, output: RunOutput) -> OutputStream:
        """Uses the record's size as the engine has it: the container may be of another version or setting."""
        config = container.attrs["HostConfig"]["LogConfig"].get("Config") or {}
        size = str(config.get("max-size", ""))
        bound = int(size) if size.isdigit() else self._means.record_bytes
        return OutputStream(self._socket, str(container.id), output, record_bytes=bound)

    def _sandbox(
        self, spec: SandboxSpec, container: Container | None, volume: OutputVolume, stream: OutputStream | None
    ) -> DockerSandbox:
        gpu = spec.gpu
        peaks = Peaks(container, (lambda: self.gpu_memory().get(gpu, 0)) if gpu else None)
        told = kept_seconds(labels_of(container)) if container is not None else 0.0
        keeps = self._means.keep_failed_seconds if told is None else told
        return DockerSandbox(container, volume, stream, peaks=peaks, keeps_failed=keeps > 0)

    def kill(self, job_id: str, *, claim: str) -> None:
        with engine_errors():
            for container in self._containers(f"{LABEL}.job={job_id}", f"{LABEL}.claim={claim}"):
                if labels_of(container)[f"{LABEL}.role"] == "job":
                    with contextlib.suppress(docker.errors.APIError):  # it has just ended
                        container.kill()

    def kept_seconds(self, job_id: str, *, claim: str) -> float:
        with engine_errors():
            found = self._containers(f"{LABEL}.job={job_id}", f"{LABEL}.claim={claim}", f"{LABEL}.role=job")
        told = [kept_seconds(labels_of(container)) for container in found]
        return max((self._means.keep_failed_seconds if one is None else one for one in told), default=0.0)

    def _image_id(self, name: str) -> str:
        try:
            return str(self._client.images.get(name).id)
        except docker.errors.ImageNotFound as error:
            raise NoImage(name) from error

    def remove_leftovers(self, job_id: str, *, claim: str | None = None) -> int:
        return self._remove(f"{LABEL}.job={job_id}", *([f"{LABEL}.claim={claim}"] if claim else []))

    def remove_canaries(self, *, before: float) -> int:
        """Removes what dead probes of any site left. Returns how many containers, volumes and networks that were."""
        with engine_errors():
            things = [*self._containers(CANARY), *self._client.volumes.list(filters={"label": CANARY})]
            unmarked = [one for one in self._containers(f"{LABEL}.role=probe") if CANARY not in labels_of(one)]
            left = [container for container in unmarked if created(container) < before]  # by an older version
            for container in left:
                remove(container)
        old = {name for thing in things if begun(name := labels_of(thing)[CANARY]) < before}
        return len(left) + sum(self._remove(f"{CANARY}={name}") for name in old)

    def remove_of_processes(self, is_dead: Callable[[str], bool]) -> int:
        with engine_errors():
            marks = {labels_of(thing)[PROCESS] for thing in self._things(PROCESS)}
        return sum(self._remove(f"{PROCESS}={mark}") for mark in marks if is_dead(mark))

    def _remove(self, *wanted: str) -> int:
        labels = list(wanted)
        with engine_errors():
            found = self._containers(*labels)
            for container in found:
                remove(container)
            return len(found) + remove_volumes(self._client, labels) + remove_networks(self._client, labels)

    def _containers(self, *labels: str) -> list[Container]:
        """All containers that carry the labels, also those of other sites that share this engine."""
        wanted: dict[str, Any] = {"label": list(labels)}
        found: list[Container] = self._client.containers.list(all=True, filters=wanted, ignore_removed=True)
        return found

    def _things(self, label: str) -> list[Any]:
        """Containers, volumes and networks that carry the label."""
        kinds = (self._client.volumes, self._client.networks)
        return [*self._containers(label), *(one for kind in kinds for one in kind.list(filters={"label": label}))]

    def runs(self, *, site: str | None = None) -> set[tuple[str, str]]:
        with engine_errors():
            things = self._things(f"{LABEL}.site={self._site if site is None else site}")
            found = [(labels_of(thing).get(f"{LABEL}.job"), labels_of(thing).get(f"{LABEL}.claim")) for thing in things]
            return {(job_id, claim or "") for job_id, claim in found if job_id}

    def host_id(self) -> str:
        with engine_errors():
            return re.sub(r"[^0-9A-Za-z]", "", str(self._client.info()["ID"]))

    def versions(self) -> Mapping[str, str]:
        with engine_errors():
            told = self._client.version()
        parts = {str(part["Name"]): str(part["Version"]) for part in told["Components"]}
        return parts | {"kernel": str(told.get("KernelVersion", ""))}

    def capacity(self) -> EngineCapacity:
        with engine_errors():
            info = self._client.info()
        return EngineCapacity(cpus=info["NCPU"], memory_bytes=info["MemTotal"])

    def gpu_memory(self) -> Mapping[str, int]:
        with engine_errors():
            found = self._standing.look()
            return self._look_once() if found is None else found

    def _look_once(self) -> Mapping[str, int]:
        image_id = self._image_id(self._image)
        return probe(self._client, probe_options(self._site, image_id, self._means, process=self._process))

    def _standing_options(self) -> Mapping[str, Any]:
        image_id = self._image_id(self._image)
        return standing_options(self._site, image_id, self._seccomp, self._means, process=self._process)

    def gpus_in_use(self) -> set[str]:
        with engine_errors():
            living = self._client.containers.list(filters={"label": f"{LABEL}.gpu"}, ignore_removed=True)
            return {labels_of(container)[f"{LABEL}.gpu"] for container in living}

    def check(self) -> None:
        with engine_errors():
            for image in self._images:
                self._image_id(image)
