"""Unpacking hostile archives: each member is checked and counted while it is read, no header believed (SUB-3)."""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from core.domain.errors import InvalidInput, TooLarge
from core.domain.limits import UploadLimits
from core.domain.submission import canonical, path_faults, shown

CHUNK = 256 * 1024
LARGEST_HEADER = 64 * 1024
LARGEST_DIRECTORY = 4 * 1024 * 1024
"""Bytes of a zip's central directory: 10,000 entries with names of some 300 bytes."""
RATIO_FLOOR = 1024 * 1024
"""Bytes that may come out of any archive before its ratio counts; short texts compress well and harm nobody."""
LARGEST_PADDING = 1024 * 1024
"""Bytes of zeros that may follow a tar's last member; tar pads to full records, of 10 KB unless told otherwise."""
ZIP_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    gzip.BadGzipFile,
    EOFError,
    NotImplementedError,
    ValueError,
)


@dataclass(kw_only=True)
class Tree:
    """A folder being filled from hostile names, within limits that hold for all its files together."""

    root: Path
    limits: UploadLimits
    check_room: Callable[[], None] = lambda: None
    """Raises StorageFull; asked for every piece that is written."""
    entries: int = 0
    bytes_written: int = 0
    _files: set[str] = field(default_factory=set)
    _folders: set[str] = field(default_factory=set)

    def add_folder(self, name: str) -> None:
        self._count()
        path = self._checked(name)
        if canonical(path) in self._files:
            raise InvalidInput.of("files", f"{shown(name)} is a file and a folder at once")
        self._open_folders(f"{path}/x")
        (self.root / path).mkdir(parents=True, exist_ok=True)

    def add_file(self, name: str, content: IO[bytes], *, most: int | None = None) -> None:
        """Copy `content` to the file `name`; at most `most` bytes more than so far (the archive's ratio)."""
        self._count()
        path = self._checked(name)
        if canonical(path) in self._files or canonical(path) in self._folders:
            raise InvalidInput.of("files", f"{shown(name)} is there twice")
        self._open_folders(path)
        self._files.add(canonical(path))
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(target, flags, 0o644), "wb") as out:
            self._copy(content, out, most)

    def _copy(self, content: IO[bytes], out: IO[bytes], most: int | None) -> None:
        while chunk := content.read(CHUNK):
            self.bytes_written += len(chunk)
            if self.bytes_written > self.limits.unpacked_bytes:
                raise TooLarge.of("files", f"unpacks to more than {self.limits.unpacked_bytes} bytes")
            if most is not None and self.bytes_written > most:
                raise TooLarge.of("files", f"unpacks to more than {self.limits.ratio} times its size")
            self.check_room()
            out.write(chunk)

    def _count(self) -> None:
        self.entries += 1
        if self.entries > self.limits.entries:
            raise TooLarge.of("files", f"holds more than {self.limits.entries} entries")

    def _checked(self, name: str) -> str:
        faults = path_faults("files", name, self.limits)
        if faults:
            raise InvalidInput.of("files", f"the name {shown(name)} in an archive {faults[0].rule}")
        return name

    def _open_folders(self, path: str) -> None:
        parts = path.split("/")[:-1]
        for end in range(1, len(parts) + 1):
            folder = canonical("/".join(parts[:end]))
            if folder in self._files:
                raise InvalidInput.of("files", f"{shown(path)} lies below a file")
            self._folders.add(folder)


def unpack(name: str, archive: IO[bytes], into: Tree) -> None:
    """Unpack one archive into the tree. Raises InvalidInput or TooLarge; the caller removes what was written."""
    size = archive.seek(0, os.SEEK_END)
    archive.seek(0)
    most = into.bytes_written + max(RATIO_FLOOR, size * into.limits.ratio)
    try:
        if name.lower().endswith(".zip"):
            _unpack_zip(archive, into, most)
        else:
            _unpack_tar(archive, into, most)
    except _DAMAGED as error:
        raise InvalidInput.of(
            "files", f"{shown(name)} is damaged or not what its name says ({type(error).__name__})"
        ) from error
    except RuntimeError as error:  # zipfile's word for an encrypted member
        raise InvalidInput.of("files", f"{shown(name)} cannot be read: {str(error)[:100]}") from error


class _ShortReads:
    """A file whose single reads are bounded: a zip's directory and a tar's headers are read in one piece each."""

    def __init__(self, source: IO[bytes], most: int) -> None:
        self._source = source
        self._most = most

    def read(self, size: int = -1) -> bytes:
        content = self._source.read(size if 0 <= size <= self._most else self._most + 1)
        if len(content) > self._most:
            raise TooLarge.of("files", "an archive's directory is too large")
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET and offset < 0:  # a damaged directory; a real file would answer as a broken disk does
            raise ValueError("negative position")
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def seekable(self) -> bool:
        return True


def _unpack_zip(archive: IO[bytes], into: Tree, most: int) -> None:
    if archive.read(4) not in ZIP_BEGINNINGS:
        raise zipfile.BadZipFile("something stands before the archive")
    with zipfile.ZipFile(_ShortReads(archive, LARGEST_DIRECTORY)) as zipped:
        for member in zipped.infolist():
            _check_zip_member(member)
            if member.orig_filename.endswith("/"):  # is_dir() fails on an empty name
                into.add_folder(member.orig_filename.rstrip("/"))
            else:
                with zipped.open(member) as content:
                    into.add_file(member.orig_filename, content, most=most)


def _check_zip_member(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 0x1:
        raise InvalidInput.of("files", f"{shown(member.orig_filename)} is encrypted")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise InvalidInput.of(
            "files", f"{shown(member.orig_filename)} is a link or device; only plain files are accepted"
        )
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise InvalidInput.of("files", f"{shown(member.orig_filename)} uses a compression other than deflate")


class BoundedTarInfo(tarfile.TarInfo):
    """Refuses oversized headers, which tarfile would read into memory, and bad ones, which it takes for the end."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            member = super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # a block of zeros: the regular end
            raise
        except tarfile.HeaderError as error:
            raise InvalidInput.of("files", "an archive is damaged or cut off") from error
        plain = member.type in {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE}
        if member.size < 0 or (not plain and member.size > LARGEST_HEADER):
            raise TooLarge.of("files", "an archive's header is too large")
        return member


def _unpack_tar(archive: IO[bytes], into: Tree, most: int) -> None:
    with (
        gzip.GzipFile(fileobj=archive, mode="rb") as plain,
        tarfile.open(fileobj=plain, mode="r|", tarinfo=BoundedTarInfo, errorlevel=2) as tar,
    ):
        for member in _members(tar):
            name = _tar_name(member)
            if member.isdir():
                if name:
                    into.add_folder(name)
            else:
                content = tar.extractfile(member)
                if content is None:
                    raise InvalidInput.of("files", f"{shown(member.name)} cannot be read")
                into.add_file(name, content, most=most)
        _check_end(tar)


def _check_end(tar: tarfile.TarFile) -> None:
    """Only zeros may follow the last member; reading to the end also makes gzip compare its checksum."""
    rest = tar.fileobj.read(LARGEST_PADDING + 1) if tar.fileobj else b""
    if len(rest) > LARGEST_PADDING or rest.strip(b"\0"):
        raise InvalidInput.of("files", "something follows the end of an archive")


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        regular = member.type in {tarfile.REGTYPE, tarfile.AREGTYPE} and member.sparse is None
        if not regular and not member.isdir():
            raise InvalidInput.of(
                "files", f"{shown(member.name)} is a link, device or sparse file; only plain files are accepted"
            )
        yield member


def _tar_name(member: tarfile.TarInfo) -> str:
    """The member's name without the './' that `tar -C folder .` puts before every name; '' for the root itself."""
    name = member.name
    while name.startswith("./"):
        name = name[2:]
    return "" if name == "." else name
