"""Looks through an image's layers, history and file system for what must not be there; nothing of the image is run."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO

CHUNK = 4 * 1024 * 1024
OVERLAP = 4096
"""Longer than anything that is looked for, so that nothing is missed between two chunks."""
CAPABILITY = "SCHILY.xattr.security.capability"
PRIVATE_KEY = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n(?:[A-Z][A-Za-z-]+: .*\r?\n|\r?\n)*[A-Za-z0-9+/=]{40}"
)
LOGIN_IN_URL = re.compile(rb"[a-z]://[^/\s:@'\"<>]{1,64}:[^/\s@'\"<>]{1,256}@[a-z0-9]")
SECRET_FILES = frozenset(
    {".netrc", ".pypirc", ".npmrc", ".git-credentials", "pip.conf", "id_rsa", "id_ed25519", "id_ecdsa", ".git", ".env"}
)
SECRET_ENDS = (".docker/config.json", ".aws/credentials", ".kube/config")
OURS = "app/"
OURS_MAY_BE = frozenset({"core", "gateway", "runner", "scorer", "client", "ui", "wire", "seccomp.json"})


@dataclass(kw_only=True)
class Scan:
    """What is looked for, and what was found. A layer that several images share is looked through once."""

    secrets: Sequence[bytes]
    """Values that must be nowhere, each at least eight bytes long."""
    found: dict[str, list[str]] = field(default_factory=dict)
    """Findings by layer, so that each image that has the layer is blamed."""

    def __post_init__(self) -> None:
        assert all(8 <= len(one) < OVERLAP for one in self.secrets)

    def image(self, stream: IO[bytes]) -> list[str]:
        """Findings in all layers and descriptions of the image that `docker save` writes to `stream`."""
        found: list[str] = []
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    found += self._blob(member, content)
        return found

    def _blob(self, member: tarfile.TarInfo, content: IO[bytes]) -> list[str]:
        if member.name in self.found:
            return self.found[member.name]
        head = content.read(512)
        if head[257:262] == b"ustar":
            with tarfile.open(fileobj=_Joined(head, content), mode="r|") as layer:  # type: ignore[arg-type]
                found = [*self._layer(layer)]
        elif head[:2] == b"\x1f\x8b":
            with tarfile.open(fileobj=_Joined(head, content), mode="r|gz") as layer:  # type: ignore[arg-type]
                found = [*self._layer(layer)]
        else:
            found = [*self._text(f"description {member.name[-12:]}", _Joined(head, content))]
        self.found[member.name] = found
        return found

    def _layer(self, layer: tarfile.TarFile) -> Iterator[str]:
        for member in layer:
            yield from self._name(member.name.removeprefix("./"))
            content = layer.extractfile(member) if member.isfile() and member.size else None
            if content is not None:
                yield from self._text(member.name, content)

    def _name(self, name: str) -> Iterator[str]:
        path = PurePosixPath(name)
        if path.name in SECRET_FILES or name.endswith(SECRET_ENDS):
            yield f"{name}: a file that holds secrets"
        if name.startswith(OURS) and path.parts[1:] and path.parts[1] not in OURS_MAY_BE:
            yield f"{name}: no part of what this image runs"

    def _text(self, name: str, content: IO[bytes] | _Joined) -> Iterator[str]:
        tail = b""
        while piece := content.read(CHUNK):
            text = tail + piece
            if any(secret in text for secret in self.secrets):
                yield f"{name}: a secret of this machine's settings"
            if b"PRIVATE KEY-----" in text and PRIVATE_KEY.search(text):
                yield f"{name}: a private key"
            if name.removeprefix("./").startswith(("etc/", "root/")) and LOGIN_IN_URL.search(text):
                yield f"{name}: an address with a password"
            tail = text[-OVERLAP:]


class _Joined:
    """Bytes that were read already, then the rest."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int) -> bytes:
        if not self._head:
            return self._rest.read(size)
        given, self._head = self._head[:size], self._head[size:]
        return given if len(given) == size else given + self._rest.read(size - len(given))


def raised_rights(stream: IO[bytes]) -> list[str]:
    """Programs in a file system that change who runs them, or what that one may: set-uid, set-gid, capabilities."""
    found = []
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if member.isfile() and member.mode & 0o6000:
                found.append(f"{member.name}: mode {member.mode:o}")
            if any("security.capability" in key for key in member.pax_headers):
                found.append(f"{member.name}: file capabilities")
    return found


@contextmanager
def saved(image: str, *engine: str) -> Iterator[IO[bytes]]:
    """All layers, also what a later layer removes. `engine`: docker's options that name another engine."""
    with _output("docker", *engine, "save", image) as out:
        yield out


@contextmanager
def exported(image: str, *engine: str) -> Iterator[IO[bytes]]:
    """The file system as a container sees it."""
    made = subprocess.run(["docker", *engine, "create", image, "true"], check=True, capture_output=True, text=True)
    container = made.stdout.strip()
    try:
        with _output("docker", *engine, "export", container) as out:
            yield out
    finally:
        subprocess.run(["docker", *engine, "rm", container], check=True, capture_output=True)


@contextmanager
def _output(*command: str) -> Iterator[IO[bytes]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield process.stdout
        while process.stdout.read(CHUNK):  # what follows a tar's end
            pass
    assert process.returncode == 0, command


def configuration(image: str, *engine: str) -> str:
    """The image's environment, labels, commands and history, as text."""
    inspected = ["docker", *engine, "image", "inspect", image]
    history = ["docker", *engine, "history", "--no-trunc", "--format", "{{json .}}", image]
    texts = [subprocess.run(words, check=True, capture_output=True, text=True).stdout for words in (inspected, history)]
    return json.dumps(texts)
