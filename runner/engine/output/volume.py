"""The bounded output of a run: a volume in memory, kept by a holder, read only after the run's container is gone."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import docker
import docker.errors
from docker.models.containers import Container
from docker.models.volumes import Volume

from core.adapters.files.file_tree import CHUNK, Names, Tree
from core.adapters.files.tar_members import HeaderBudget, Kind, Member, TarReader
from core.domain.applied_config import FILE as CONFIG_FILE
from core.domain.artifact_names import name_faults
from core.domain.errors import InvalidInput, RunLost, TooLarge, Unavailable
from core.domain.limits import ResourceClass, UploadLimits
from core.domain.metrics import MAX_BYTES
from core.domain.metrics_place import METRICS, NOT_PLAIN, Candidates
from core.domain.submission import shown
from core.ports.sandbox import Harvest, SandboxSpec
from runner.engine.container_spec import SLOT, holder_options, labels, volume_name, volume_options
from runner.engine.output import user_ids
from runner.engine.resources import remove

NEARLY_FULL = 0.95
MAX_NOTICES = 20
UNUSABLE_NAME = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EEXIST})
"""Refusals of a file system that takes fewer names than the sandbox's."""
UNREADABLE = "the engine cannot read it, e.g. for a date beyond the year 9999"


@dataclass(kw_only=True)
class OutputVolume:
    """Lives from before the run's container is created until after its harvest."""

    client: docker.DockerClient
    spec: SandboxSpec
    holder: Container
    volume: Volume

    @property
    def slot(self) -> int:
        """The slot whose user id may write to the volume."""
        return int(self.holder.labels[SLOT])

    @classmethod
    def create(cls, client: docker.DockerClient, spec: SandboxSpec, *, image_id: str, seccomp: str) -> OutputVolume:
        for slot in user_ids.free(client):
            made = cls._of_slot(client, spec, slot, image_id=image_id, seccomp=seccomp)
            if user_ids.is_alone(client, slot):
                made.check_bound(volume_options(spec.limits, slot))
                return made
            remove(made.holder)  # another run took the same one at the same moment
            made.volume.remove(force=True)
        raise AssertionError("user_ids.free ends by raising")

    @classmethod
    def _of_slot(
        cls, client: docker.DockerClient, spec: SandboxSpec, slot: int, *, image_id: str, seccomp: str
    ) -> OutputVolume:
        options, told = volume_options(spec.limits, slot), labels(spec, "output")
        volume = client.volumes.create(volume_name(spec), driver="local", driver_opts=options, labels=told)
        holder = client.containers.create(**holder_options(spec, image_id=image_id, seccomp=seccomp, slot=slot))
        return cls(client=client, spec=spec, holder=holder, volume=volume)

    def check_bound(self, wanted: dict[str, str]) -> None:
        """Docker ignores the options if the volume exists, so they are read back once the holder keeps it there."""
        self.holder.start()
        self.volume.reload()
        if (self.volume.attrs.get("Options") or {}).get("o") != wanted["o"]:
            raise Unavailable("The sandbox engine", "an output volume does not carry its bound")

    @classmethod
    def found(cls, client: docker.DockerClient, spec: SandboxSpec) -> OutputVolume | None:
        """The volume that another process made, with its holder; None when either is gone."""
        try:
            holder = client.containers.get(f"holder-{spec.name}")
            return cls(client=client, spec=spec, holder=holder, volume=client.volumes.get(volume_name(spec)))
        except docker.errors.NotFound:
            return None

    def is_kept(self) -> bool:
        """False when the holder has ended: then the volume is empty, and what the run left is gone."""
        try:
            self.holder.reload()
        except docker.errors.NotFound:
            return False
        return bool(self.holder.status == "running")

    def harvest(self, into: Path) -> Harvest:
        """Returns the raw metrics.json and copies the plain files. Call when the run's container is gone.

        Raises RunLost when the holder has ended before everything was read: what is read after that is empty.
        """
        metrics, problem = self._metrics()
        walk = OutputWalk(into, job_id=self.spec.job_id, limits=self.spec.limits)
        try:
            chunks, _header = self.holder.get_archive("/out")
            with io.BufferedReader(Chunks(chunks), CHUNK) as stream:
                walk.copy(stream)
        except docker.errors.APIError:
            problem = problem or UNREADABLE
        if not self.is_kept():  # then a missing file or a refusal is not the submission's doing
            raise RunLost("The engine lost the output of this run.")
        return Harvest(
            metrics=metrics,
            metrics_problem=problem,
            metrics_elsewhere=walk.candidates.found,
            output_full=walk.output_full,
            output_bytes=walk.seen_bytes,
            output_files=walk.seen_entries,
            notices=_shortened(walk.notices),
        )

    def _metrics(self) -> tuple[bytes | None, str | None]:
        """Checks the header first: what is not a plain file of a sane size is never read."""
        try:
            chunks, header = self.holder.get_archive(f"/out/{METRICS}")
        except docker.errors.NotFound:
            return None, None
        except docker.errors.APIError:
            return None, UNREADABLE
        with io.BufferedReader(Chunks(chunks), CHUNK) as stream:
            stat = header or {"mode": -1, "linkTarget": "", "size": 0}
            if stat["mode"] >> 9 or stat["linkTarget"]:  # any type bit of Go's file mode
                return None, NOT_PLAIN
            if stat["size"] > MAX_BYTES:
                return None, f"it is larger than {MAX_BYTES} bytes"
            return _first_file(stream), None


def _first_file(stream: IO[bytes]) -> bytes:
    tar = TarReader(stream=stream, budget=HeaderBudget.of(1))
    member = next(tar.members(), None)
    found = io.BytesIO()
    while member is not None and member.kind is Kind.FILE and found.tell() <= MAX_BYTES and (piece := tar.read(CHUNK)):
        found.write(piece)
    return found.getvalue()


class Chunks(io.RawIOBase):
    """The engine's chunks as a file to read from; closing it drops the rest."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        self._rest = self._rest or next(self._chunks, b"")
        size = min(len(target), len(self._rest))
        target[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def close(self) -> None:
        drop: Any = getattr(self._chunks, "close", None)
        if drop is not None and not self.closed:
            drop()
        super().close()


class OutputWalk:
    """One pass over the output: copies plain files, and leaves everything else out with a notice."""

    def __init__(self, into: Path, *, job_id: str, limits: ResourceClass) -> None:
        self._limits = limits
        self._own = (f"logs/{job_id}.log", CONFIG_FILE)
        self.seen_bytes = self.seen_entries = 0
        self.notices: list[str] = []
        self.candidates = Candidates()
        bound = UploadLimits(unpacked_bytes=limits.output_bytes, entries=limits.output_files)
        self.tree = Tree(root=into, limits=bound)
        self.tree.names = _CheckedNames(limits=bound)

    @property
    def output_full(self) -> bool:
        return (
            self.seen_bytes >= NEARLY_FULL * self._limits.output_bytes
            or self.seen_entries >= NEARLY_FULL * self._limits.output_files
        )

    def copy(self, stream: IO[bytes]) -> None:
        try:
            tar = TarReader(stream=stream, budget=HeaderBudget.of(self._limits.output_files))
            for member in tar.members():
                self.seen_entries += 1
                self.seen_bytes += member.size
                if self.seen_bytes > self._limits.output_bytes:
                    raise TooLarge.of("files", "sparse files claim more than the output may hold")
                self._member(tar, member)
        except InvalidInput as error:
            self.notices.append(f"The rest of the output was left out: {error}.")

    def _member(self, tar: TarReader, member: Member) -> None:
        name = member.name.partition("/")[2]
        if name in {"", METRICS} or member.kind is Kind.FOLDER:
            return
        if member.kind is Kind.FILE:
            self.candidates.see(name)
        if reason := self._reason_to_leave(name, member.kind) or self._reason_not_copied(name, tar):
            self.notices.append(f"{shown(name)} was left out: {reason}.")

    def _reason_to_leave(self, name: str, kind: Kind) -> str:
        """Why a file of this name is not kept; empty if it is."""
        if any(name in {own, own.partition("/")[0]} or name.startswith(f"{own}/") for own in self._own):
            return "the name is the platform's own"
        if kind is not Kind.FILE:
            return "it is a link, a device or a sparse file; write the file itself"
        rules = name_faults(name)
        return f"its name {'; '.join(rules)}" if rules else ""

    def _reason_not_copied(self, name: str, tar: TarReader) -> str:
        """Copies the file; answers why its name could not be used, empty if it could. Raises TooLarge, OSError."""
        try:
            self.tree.add_file(name, tar)
        except TooLarge:
            raise
        except InvalidInput as error:
            return str(error)
        except OSError as error:
            if error.errno not in UNUSABLE_NAME:
                raise
            return f"the platform's disk does not take its name ({error.strerror})"
        return ""


class _CheckedNames(Names):
    """Names of a run's files, each checked before: two that differ in case or in accents are two files."""

    def _checked(self, name: str) -> str:
        return name


def _shortened(notices: list[str]) -> tuple[str, ...]:
    more = len(notices) - MAX_NOTICES
    return tuple(notices[:MAX_NOTICES]) + ((f"... and {more} more.",) if more > 0 else ())
