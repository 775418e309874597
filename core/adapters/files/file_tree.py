"""Fills a folder from hostile names: each name is checked and counted, each byte is counted while it is written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from core.adapters.files.member_names import crowded_folder
from core.domain.errors import InvalidInput, TooLarge
from core.domain.limits import UploadLimits
from core.domain.submission import canonical, path_faults, shown

CHUNK = 256 * 1024
MOST_NAME_BYTES = 2 * 1024 * 1024
"""Limit for all names of an upload, folders in their paths included; memory holds several copies of them."""


class Content(Protocol):
    """A source of a file's bytes."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; empty at the end."""
        ...


@dataclass(kw_only=True)
class Names:
    """The files and folders that an upload's names stand for; writes nothing. Raises InvalidInput, TooLarge.

    Folders that occur only in the path of a file count as entries as well, since each is created.
    """

    limits: UploadLimits
    entries: int = 0
    claimed_bytes: int = 0
    name_bytes: int = 0
    files: list[str] = field(default_factory=list)
    """Under the names given."""
    left_out: int = 0
    """Members that macOS or Windows has added; they count as entries."""
    _files: dict[str, str] = field(default_factory=dict)
    """The names given, by their canonical form."""
    _folders: set[str] = field(default_factory=set)

    def add_folder(self, name: str) -> None:
        self._count(name)
        path = self._checked(name)
        if path in self._files:
            raise InvalidInput.of("files", f"{shown(name)} is a file and a folder at once")
        self._open_folders(path, name)
        self._folders.add(path)

    def add_file(self, name: str) -> None:
        self._count(name)
        path = self._checked(name)
        if path in self._files and self._files[path] != name:
            rule = f"{shown(name)} and {shown(self._files[path])} are one file on macOS and Windows; rename one of them"
            raise InvalidInput.of("files", rule)
        if path in self._files or path in self._folders:
            raise InvalidInput.of("files", f"{shown(name)} is there twice")
        self._open_folders(path, name)
        self._files[path] = name
        self.files.append(name)

    def leave_out(self, name: str) -> None:
        """Count a member that is not unpacked."""
        self._count(name)
        self.left_out += 1

    def claim(self, size: int, *, most: int | None = None) -> None:
        """Count `size` more bytes, as stated in a header; `most`: the allowed total, by the archive's ratio."""
        self.claimed_bytes += size
        check_size(self.claimed_bytes, self.limits, most)

    def _count(self, name: str) -> None:
        self.entries += 1
        if self.entries > self.limits.entries:
            raise too_many(self.limits.entries, self.files)
        self.name_bytes += len(name.encode("utf-8", "surrogatepass"))
        if self.name_bytes > MOST_NAME_BYTES:
            rule = f"has names of more than {MOST_NAME_BYTES} bytes together, folders counted; use shorter ones"
            raise TooLarge.of("files", rule)

    def _checked(self, name: str) -> str:
        faults = path_faults("files", name, self.limits)
        if faults:
            raise InvalidInput.of("files", f"the name {shown(name)} in an archive {faults[0].rule}")
        return canonical(name)

    def _open_folders(self, path: str, name: str) -> None:
        end = path.find("/")
        while end >= 0:
            folder = path[:end]
            if folder in self._files:
                raise InvalidInput.of("files", f"{shown(name)} lies below a file")
            if folder not in self._folders:
                self._folders.add(folder)
                self._count(folder)
            end = path.find("/", end + 1)


def no_plain_file(name: str) -> str:
    """What to do about a link, device or sparse file."""
    if "/bin/python" in f"/{name}":
        return f"{shown(name)} is a link of a virtual environment; leave the environment's folder out"
    return f"{shown(name)} is a link, device or sparse file; put the file itself in its place"


def too_many(most: int, names: Sequence[str]) -> InvalidInput:
    """The refusal of an upload with more than `most` entries, which names the folder that most of `names` lie in."""
    folder, count = crowded_folder(names)
    where = f"; of {len(names)} files {count} are in {shown(folder)}: leave it out" if folder else ""
    return TooLarge.of("files", f"holds more than {most} entries, folders counted{where}")


def check_size(total: int, limits: UploadLimits, most: int | None) -> None:
    """Raises TooLarge if `total` unpacked bytes exceed the limit, or exceed `most`, the archive's ratio."""
    if total > limits.unpacked_bytes:
        raise TooLarge.of(
            "files", f"unpacks to more than {limits.unpacked_bytes} bytes; leave out data and environments"
        )
    if most is not None and total > most:
        raise TooLarge.of("files", f"unpacks to more than {limits.ratio} times its size")


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """One file of a tree. `sha256` is empty unless the tree takes digests."""

    size_bytes: int
    sha256: str


@dataclass(kw_only=True)
class Tree:
    """A folder being filled, within limits for all its files together."""

    root: Path
    limits: UploadLimits
    check_room: Callable[[], None] = lambda: None
    """Raises StorageFull; called for every piece that is written."""
    take_digests: bool = False
    bytes_written: int = 0
    files: dict[str, Written] = field(default_factory=dict)
    """By path, as written."""
    names: Names = field(init=False)
    _made: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.names = Names(limits=self.limits)

    def add_folder(self, name: str) -> None:
        self.names.add_folder(name)
        self._make(self.root / name)

    def add_file(self, name: str, content: Content, *, most: int | None = None) -> None:
        """Copy `content` to the file `name`. `most`: the allowed total of bytes written, by the archive's ratio."""
        self.names.add_file(name)
        target = self.root / name
        self._make(target.parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        out = os.open(target, flags, 0o644)
        try:
            self.files[name] = self._copy(content, out, most)
        finally:
            os.close(out)

    def _make(self, folder: Path) -> None:
        if folder not in self._made:
            folder.mkdir(parents=True, exist_ok=True)
            self._made.add(folder)

    def _copy(self, content: Content, out: int, most: int | None) -> Written:
        size, digest = 0, hashlib.sha256() if self.take_digests else None
        while chunk := content.read(CHUNK):
            size += len(chunk)
            self.bytes_written += len(chunk)
            check_size(self.bytes_written, self.limits, most)
            self.check_room()
            _write(out, chunk)
            if digest is not None:
                digest.update(chunk)
        return Written(size_bytes=size, sha256=digest.hexdigest() if digest is not None else "")


def _write(out: int, chunk: bytes) -> None:
    left = memoryview(chunk)
    while left:
        left = left[os.write(out, left) :]
