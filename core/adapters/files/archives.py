"""Unpacks hostile archives: an upload is checked completely before a file is written, and again while read (SUB-3)."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from core.adapters.files import zip_directory
from core.adapters.files.file_tree import CHUNK, Names, Tree
from core.adapters.files.gunzip import Gunzip
from core.adapters.files.tar_members import HeaderBudget, Kind, Member, TarReader
from core.domain.errors import InvalidInput, TooLarge
from core.domain.limits import UploadLimits
from core.domain.submission import shown

RATIO_FLOOR = 1024 * 1024
"""Bytes that may come out of archives before their ratio is checked; short texts compress well and do no harm."""
LARGEST_PADDING = 1024 * 1024
"""Bytes of zeros that may follow a tar's last member; tar pads to full records, by default of 10 KB."""
HEADER_BYTES = 32 * 1024 * 1024
"""Bytes that all tars of an upload may have besides the content of their files: headers and padding."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


class Look:
    """One pass over every archive of an upload that writes nothing: names, kinds, sizes, checksums of tars.

    Raises InvalidInput or TooLarge. It costs no more than reading the archives, however large they would unpack.
    """

    def __init__(self, limits: UploadLimits, *, most: int | None = None) -> None:
        """`most`: bytes that all archives of the upload may unpack to, by the upload's size."""
        self._limits = limits
        self._most = most
        self._names = Names(limits=limits)
        self._budget = HeaderBudget.of(limits.entries)
        self._unzipped = 0

    @property
    def files(self) -> list[str]:
        return self._names.files

    def at_file(self, name: str) -> None:
        self._names.add_file(name)

    def at_archive(self, name: str, archive: IO[bytes]) -> None:
        most = self._names.claimed_bytes + allowance(_size(archive), self._limits)
        if self._most is not None:
            most = min(most, self._most)
        with _in_words(name):
            if _is_zip(name):
                self._at_zip(archive, most)
            else:
                self._at_tar(archive, most)

    def _at_zip(self, archive: IO[bytes], most: int) -> None:
        with zip_directory.opened(archive, self._limits.entries) as zipped:
            zip_directory.check_apart(zipped)
            for member in zipped.infolist():
                zip_directory.check_member(member)
                self._names.claim(member.file_size, most=most)
                if member.orig_filename.endswith("/"):  # is_dir() fails on an empty name
                    self._names.add_folder(member.orig_filename.rstrip("/"))
                else:
                    self._names.add_file(member.orig_filename)

    def _at_tar(self, archive: IO[bytes], most: int) -> None:
        tar = TarReader(stream=_unzipped(archive, self._count), budget=self._budget)
        for member in tar.members():
            name = _checked(member)
            self._names.claim(member.size, most=most)
            if member.kind is Kind.FILE:
                self._names.add_file(name)
            elif name:
                self._names.add_folder(name)
        _check_end(tar.stream)

    def _count(self, size: int) -> None:
        """Counts bytes unpacked from all tars of the upload. Raises TooLarge."""
        self._unzipped += size
        if self._most is not None and self._unzipped > self._most + HEADER_BYTES:
            raise TooLarge.of("files", f"unpacks to more than {self._limits.ratio} times its size")


def unpack(name: str, archive: IO[bytes], into: Tree) -> None:
    """Unpack one archive into the tree. Raises InvalidInput or TooLarge; the caller removes what was written."""
    most = into.bytes_written + allowance(_size(archive), into.limits)
    with _in_words(name):
        if _is_zip(name):
            _unpack_zip(archive, into, most)
        else:
            _unpack_tar(archive, into, most)


def _unpack_zip(archive: IO[bytes], into: Tree, most: int) -> None:
    with zip_directory.opened(archive, into.limits.entries) as zipped:
        for member in zipped.infolist():
            zip_directory.check_member(member)
            if member.orig_filename.endswith("/"):
                into.add_folder(member.orig_filename.rstrip("/"))
            else:
                with zipped.open(member) as content:
                    into.add_file(member.orig_filename, content, most=most)


def _unpack_tar(archive: IO[bytes], into: Tree, most: int) -> None:
    tar = TarReader(stream=_unzipped(archive), budget=HeaderBudget.of(into.limits.entries))
    for member in tar.members():
        name = _checked(member)
        if member.kind is Kind.FILE:
            into.add_file(name, tar, most=most)
        elif name:
            into.add_folder(name)
    _check_end(tar.stream)


def allowance(size: int, limits: UploadLimits) -> int:
    """Bytes that archives of this total size may unpack to."""
    return max(RATIO_FLOOR, size * limits.ratio)


def _size(archive: IO[bytes]) -> int:
    return archive.seek(0, os.SEEK_END)


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _unzipped(archive: IO[bytes], count: Callable[[int], None] = lambda _size: None) -> IO[bytes]:
    archive.seek(0)
    return io.BufferedReader(Gunzip(archive, count), CHUNK)


def _check_end(stream: IO[bytes]) -> None:
    """Only zeros may follow the last member; reading to the end also makes zlib compare the checksum."""
    rest = stream.read(LARGEST_PADDING + 1)
    if len(rest) > LARGEST_PADDING or rest.strip(b"\0"):
        raise InvalidInput.of("files", "something follows the end of an archive")


def _checked(member: Member) -> str:
    """The member's name without the './' that `tar -C folder .` puts before every name; '' for the root itself."""
    if member.kind is Kind.OTHER:
        raise InvalidInput.of(
            "files", f"{shown(member.name)} is a link, device or sparse file; only plain files are accepted"
        )
    name = member.name
    while name.startswith("./"):
        name = name[2:]
    return "" if name == "." and member.kind is Kind.FOLDER else name


@contextmanager
def _in_words(name: str) -> Iterator[None]:
    """Turns exceptions of libraries about an archive into InvalidInput with a sentence about it."""
    try:
        yield
    except _DAMAGED as error:
        raise InvalidInput.of(
            "files", f"{shown(name)} is damaged or not what its name says ({type(error).__name__})"
        ) from error
    except RuntimeError as error:  # zipfile raises this for an encrypted member
        raise InvalidInput.of("files", f"{shown(name)} cannot be read: {str(error)[:100]}") from error
