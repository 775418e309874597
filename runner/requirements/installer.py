"""Installs a submission's wheels in the engine: a proxy to the index, an installer behind it, a bounded volume."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
import docker.errors
from docker.models.containers import Container

from core.adapters.files.file_tree import CHUNK, Tree
from core.adapters.files.tar_members import HeaderBudget, Kind, Member, TarReader
from core.domain.errors import InvalidInput, LeadersboardError, Unavailable
from core.domain.limits import RequirementsLimits, UploadLimits
from core.ports.sandbox import SandboxSpec
from runner.engine.container_spec import labels
from runner.engine.errors import engine_errors
from runner.engine.output.volume import Chunks
from runner.engine.resources import CALL_SECONDS, found, remove
from runner.guest.index_proxy import READY
from runner.requirements.index import Index
from runner.requirements.installer_spec import (
    holder_options,
    installer_options,
    proxy_options,
    thing_name,
    volume_options,
)
from runner.requirements.record import packages_of

LOOK_SECONDS = 0.2
READY_SECONDS = 30.0
READ_LINES = 200
LAST_LINES = 15
LONGEST_LINE = 400
LARGEST_RECORD = 1024 * 1024
"""Bytes of the list of what was installed: some thousand packages."""
ADVICE = "Check names and versions, and that each package has a wheel for Python 3.13 on x86-64 Linux."


class RequirementsFailed(LeadersboardError):
    """Raised when a submission's requirements cannot be installed; its text says why and what to do."""

    code = "requirements"


@dataclass(frozen=True, kw_only=True, slots=True)
class Installer:
    """Lives as long as its process. Each call makes its own containers, volume and network, and removes them."""

    client: docker.DockerClient
    seccomp: str
    index: Index
    limits: RequirementsLimits
    process: str = ""
    """The mark of this process; other processes remove its installations once it is gone."""

    @classmethod
    def on(cls, socket: str, *, seccomp: str, index: Index, limits: RequirementsLimits, process: str = "") -> Installer:
        client = docker.DockerClient(base_url=socket, timeout=CALL_SECONDS)
        return cls(client=client, seccomp=seccomp, index=index, limits=limits, process=process)

    def close(self) -> None:
        self.client.close()

    def image_id(self, name: str) -> str:
        with engine_errors():
            return str(self.client.images.get(name).id)

    def install(
        self,
        spec: SandboxSpec,
        wanted: tuple[str, ...],
        into: Path,
        *,
        ca: Path | None,
        check: Callable[[], None],
    ) -> list[dict[str, str]]:
        """Installs plain files below `into`. Returns name, version and sha256 of each wheel.

        Raises RequirementsFailed, Unavailable, and what `check` raises, which is called while pip runs.
        """
        spec = replace(spec, process=self.process)
        with engine_errors():
            self._clear(spec)
            try:
                holder = self._ready(spec)
                options = installer_options(
                    spec, self.index, wanted, self.limits,
                    image_id=spec.image, seccomp=self.seccomp, ca=ca,
                )  # fmt: skip
                installer = self.client.containers.create(**options)
                self._run(installer, check)
                remove(installer)
                return self._harvest(holder, into)
            finally:
                with contextlib.suppress(docker.errors.APIError):
                    self._clear(spec)

    def _ready(self, spec: SandboxSpec) -> Container:
        """Starts the volume's holder, and the network with its proxy. Returns the holder."""
        name, mine = thing_name(spec, "packages"), labels(spec, "packages")
        wanted = volume_options(self.limits)
        volume = self.client.volumes.create(name, driver="local", driver_opts=wanted, labels=mine)
        walls: dict[str, Any] = {"image_id": spec.image, "seccomp": self.seccomp}
        holder = self.client.containers.create(**holder_options(spec, self.limits, **walls))
        holder.start()
        volume.reload()
        if (volume.attrs.get("Options") or {}).get("o") != wanted["o"]:
            raise Unavailable("The sandbox engine", "a volume for packages does not carry its bound")
        network = self.client.networks.create(name, driver="bridge", internal=True, labels=mine)
        proxy = self.client.containers.create(**proxy_options(spec, self.index, **walls))
        network.connect(proxy, aliases=["index"])
        proxy.start()
        self._await_proxy(proxy)
        return holder

    def _await_proxy(self, proxy: Container) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while READY.encode() not in proxy.logs():
            if time.monotonic() > deadline:
                raise Unavailable("The sandbox engine", "the way to the package index did not open")
            time.sleep(LOOK_SECONDS)

    def _run(self, installer: Container, check: Callable[[], None]) -> None:
        deadline = time.monotonic() + self.limits.seconds
        installer.start()
        while True:
            installer.reload()
            state = installer.attrs["State"]
            if state["Status"] not in {"created", "running"}:
                break
            check()
            if time.monotonic() > deadline:
                raise RequirementsFailed(
                    f"Installing requirements.txt took longer than {self.limits.seconds:g} s and was stopped. "
                    "Ask for fewer packages, or try again when the package index is faster."
                )
            time.sleep(LOOK_SECONDS)
        if state["ExitCode"] != 0:
            raise RequirementsFailed(self._why(installer, out_of_memory=state["OOMKilled"]))

    def _why(self, installer: Container, *, out_of_memory: bool) -> str:
        """The error text, from pip's output: secrets are hidden in all of it before it and its lines are cut."""
        text = self.index.hidden(installer.logs(tail=READ_LINES).decode(errors="replace"))
        lines = [line[:LONGEST_LINE] for line in text.splitlines() if line.strip()][-LAST_LINES:]
        if out_of_memory or "No space left on device" in text:
            bound = self.limits.installed_bytes // 1024**2
            lines.append(f"The packages and what they need are larger than {bound} MiB, the most that is installed.")
        return "\n".join([
            "requirements.txt could not be installed; only wheels are (no package is built here). pip's last lines:",
            *lines,
            ADVICE,
        ])  # fmt: skip

    def _harvest(self, holder: Container, into: Path) -> list[dict[str, str]]:
        bound = UploadLimits(unpacked_bytes=self.limits.installed_bytes, entries=self.limits.files)
        tree, record = Tree(root=into, limits=bound), b""
        chunks, _header = holder.get_archive("/out")
        with io.BufferedReader(Chunks(chunks), CHUNK) as stream:
            try:
                tar = TarReader(stream=stream, budget=HeaderBudget.of(self.limits.files))
                for member in tar.members():
                    record = self._member(tar, member, tree) or record
                return packages_of(record)
            except InvalidInput as error:
                raise RequirementsFailed(f"The packages of requirements.txt cannot be used: {error}.") from error

    def _member(self, tar: TarReader, member: Member, tree: Tree) -> bytes | None:
        name = member.name.partition("/")[2]
        if member.kind is Kind.FILE and name.startswith("tree/"):
            tree.add_file(name.removeprefix("tree/"), tar)
        if member.kind is not Kind.FILE or name != "record.json":
            return None
        if member.size > LARGEST_RECORD:
            raise InvalidInput.of(name, f"is larger than {LARGEST_RECORD} bytes")
        return tar.read()

    def _clear(self, spec: SandboxSpec) -> None:
        """Removes the containers, then the volume and the network that they used."""
        for thing in ("installer", "index", "packages"):
            remove(found(self.client, thing_name(spec, thing)))
        name = thing_name(spec, "packages")
        with contextlib.suppress(docker.errors.NotFound):
            self.client.volumes.get(name).remove(force=True)
        for network in self.client.networks.list(names=[name]):
            with contextlib.suppress(docker.errors.NotFound):
                network.remove()
