"""Unpacks hostile archives: an upload is checked completely before a file is written, and again while read (SUB-3)."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from core.adapters.files import member_names, zip_directory
from core.adapters.files.file_tree import CHUNK, Names, Tree, no_plain_file
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

    @property
    def left_out(self) -> int:
        """How many members macOS or Windows has added."""
        return self._names.left_out

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
                name = member_names.of_zip(member)
                self._names.claim(member.file_size, most=most)
                if member_names.is_companion(name):
                    self._names.leave_out(name)
                    continue
                zip_directory.check_member(member, name)
                self._add(name.rstrip("/"), is_folder=name.endswith("/"))  # is_dir() fails on an empty name

    def _at_tar(self, archive: IO[bytes], most: int) -> None:
        tar = TarReader(stream=_unzipped(archive, self._count), budget=self._budget)
        for member in tar.members():
            name = member_names.plain(member.name)
            self._names.claim(member.size, most=most)
            if member_names.is_companion(name):
                self._names.leave_out(name)
            elif not _is_root(member, name):
                self._add(_checked(member, name), is_folder=member.kind is Kind.FOLDER)
        _check_end(tar.stream)

    def _add(self, name: str, *, is_folder: bool) -> None:
        if is_folder:
            self._names.add_folder(name)
        else:
            self._names.add_file(name)

    def _count(self, size: int) -> None:
        """Counts bytes unpacked from all tars of the upload. Raises TooLarge."""
        self._unzipped += size
        if self._most is not None and self._unzipped > self._most + HEADER_BYTES:
            raise TooLarge.of("files", f"unpacks to more than {self._limits.ratio} times its size")


def unpack(name: str, archive: IO[bytes], into: Tree, *, outer: str = "") -> None:
    """Unpack one archive into the tree. Raises InvalidInput or TooLarge; the caller removes what was written.

    `outer`: the folder, with its '/', that is taken off the members' names.
    """
    most = into.bytes_written + allowance(_size(archive), into.limits)
    with _in_words(name):
        if _is_zip(name):
            _unpack_zip(archive, into, most, outer)
        else:
            _unpack_tar(archive, into, most, outer)


def _unpack_zip(archive: IO[bytes], into: Tree, most: int, outer: str) -> None:
    with zip_directory.opened(archive, into.limits.entries) as zipped:
        for member in zipped.infolist():
            name = member_names.of_zip(member)
            if member_names.is_companion(name):
                continue
            zip_directory.check_member(member, name)
            if name.endswith("/"):
                _unpack_folder(name, into, outer)
            else:
                with zipped.open(member) as content:
                    into.add_file(name.removeprefix(outer), content, most=most)


def _unpack_tar(archive: IO[bytes], into: Tree, most: int, outer: str) -> None:
    tar = TarReader(stream=_unzipped(archive), budget=HeaderBudget.of(into.limits.entries))
    for member in tar.members():
        name = member_names.plain(member.name)
        if member_names.is_companion(name) or _is_root(member, name):
            continue
        if _checked(member, name) and member.kind is Kind.FILE:
            into.add_file(name.removeprefix(outer), tar, most=most)
        else:
            _unpack_folder(f"{name}/", into, outer)
    _check_end(tar.stream)


def _unpack_folder(name: str, into: Tree, outer: str) -> None:
    """Make the folder of this name, which ends in '/'; the outer one is the submission's own."""
    left = name.removeprefix(outer)
    if left or not outer:
        into.add_folder(left.rstrip("/"))


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


def _is_root(member: Member, name: str) -> bool:
    """Whether this is the '.' of `tar -C folder .`."""
    return member.kind is Kind.FOLDER and name in {".", ""}


def _checked(member: Member, name: str) -> str:
    """The name of a plain file or folder. Raises InvalidInput for any other member."""
    if member.kind is Kind.OTHER:
        raise InvalidInput.of("files", no_plain_file(name))
    return name


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
