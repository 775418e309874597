"""Reads a tar from untrusted senders in one pass: headers are counted and bounded before they are interpreted.

Python's tarfile keeps every member, copies global records into each, and evaluates maps of sparse files of any length.
This reader supports plain files, folders and names (ustar, GNU, pax); it keeps nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import IO

from core.domain.errors import InvalidInput, TooLarge

BLOCK = 512
LARGEST_HEADER = 64 * 1024
"""Most bytes of one extension header (a long name, or pax records)."""
LARGEST_GLOBAL = 4 * 1024
"""Most bytes of a pax header for all members; `git archive` writes about 50."""
MOST_RECORDS = 200
"""Most records of one pax header; archives made on a Mac have up to 30."""
HIGH = 0x80
"""The first byte value beyond ASCII."""
LOW = bytes(range(HIGH))
"""Bytes whose value is the same signed and unsigned."""
CHUNK = 256 * 1024
_ZEROS = bytes(BLOCK)
_LENGTH = re.compile(rb"([1-9][0-9]{0,5}) ")
_DECIMAL = re.compile(rb"[0-9]{1,15}")
_PAX, _GLOBAL, _LONG_NAME, _LONG_LINK = b"xX", b"g", b"L", b"K"
_EXTENSIONS = _PAX + _GLOBAL + _LONG_NAME + _LONG_LINK
_WITHOUT_CONTENT = b"123456"
"""Links, devices, folders, FIFOs: no content follows their header, whatever size it states."""


class Kind(Enum):
    """The kind of a member."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"
    """A link, device, FIFO or sparse file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One entry of a tar. `size` counts the bytes of its content."""

    name: str
    kind: Kind
    size: int


@dataclass(kw_only=True, slots=True)
class HeaderBudget:
    """The most extension headers that are read, for all archives of one upload together."""

    bytes_left: int
    records_left: int

    @classmethod
    def of(cls, entries: int) -> HeaderBudget:
        """Enough for this many entries with the longest names and some dozen records each."""
        return cls(bytes_left=64 * 1024 + 2 * 1024 * entries, records_left=MOST_RECORDS + 20 * entries)

    def spend(self, *, size: int = 0, records: int = 0) -> None:
        self.bytes_left -= size
        self.records_left -= records
        if self.bytes_left < 0 or self.records_left < 0:
            raise TooLarge.of("files", "an archive's headers are too large")


@dataclass(slots=True)
class _Extension:
    """The statements of extension headers about the next member."""

    name: str | None = None
    size: int | None = None
    sparse: bool = False


@dataclass(kw_only=True)
class TarReader:
    """Raises InvalidInput for damage, TooLarge for headers beyond the budget."""

    stream: IO[bytes]
    budget: HeaderBudget
    _left: int = field(default=0, init=False)
    _padding: int = field(default=0, init=False)

    def members(self) -> Iterator[Member]:
        """Each member; its content can be read until the next member is requested."""
        extension = _Extension()
        while True:
            self._skip()
            block = self.stream.read(BLOCK)
            if block == _ZEROS:
                return
            _check_sum(block)
            kind, size = block[156:157], _number(block[124:136])
            if kind in _EXTENSIONS:
                self._extend(extension, kind, size)
                continue
            found = _member(block, kind, size, extension)
            extension = _Extension()
            self._left, self._padding = found.size, -found.size % BLOCK
            yield found

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes of the current member's content; empty at its end."""
        content = self.stream.read(min(size, self._left) if size >= 0 else self._left)
        if self._left and not content and size:
            raise _damaged()
        self._left -= len(content)
        return content

    def _skip(self) -> None:
        left = self._left + self._padding
        self._left = self._padding = 0
        while left:
            content = self.stream.read(min(left, CHUNK))
            if not content:
                raise _damaged()
            left -= len(content)

    def _extend(self, extension: _Extension, kind: bytes, size: int) -> None:
        if size > (LARGEST_GLOBAL if kind == _GLOBAL else LARGEST_HEADER):
            raise TooLarge.of("files", "an archive's header is too large")
        padded = size + -size % BLOCK
        self.budget.spend(size=BLOCK + padded)
        body = self.stream.read(padded)
        if len(body) < padded:
            raise _damaged()
        body = body[:size]
        if kind == _LONG_NAME:
            extension.name = _text(body)
        elif kind in _PAX or kind == _GLOBAL:
            records = _records(body, self.budget)
            if kind == _GLOBAL:
                _check_global(records)
            else:
                _apply(records, extension)


def _check_sum(block: bytes) -> None:
    """Checks a complete block: the sum of its bytes, the checksum's own as blanks. Old writers summed signed bytes."""
    if len(block) < BLOCK:
        raise _damaged()
    claimed = _number(block[148:156])
    found = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if claimed != found:
        high = len((block[:148] + block[156:]).translate(None, LOW))
        if claimed != found - 256 * high:
            raise _damaged()


def _number(raw: bytes) -> int:
    """Octal digits, or GNU's binary form for sizes beyond 8 GiB. Raises InvalidInput for anything else."""
    if raw[0] == HIGH:  # the mark of a positive binary number
        return int.from_bytes(raw[1:], "big")
    text = raw.partition(b"\0")[0].strip()
    if text.strip(b"01234567"):
        raise _damaged()
    return int(text or b"0", 8)


def _member(block: bytes, kind: bytes, size: int, extension: _Extension) -> Member:
    name = extension.name if extension.name is not None else _own_name(block)
    is_folder = kind == b"5" or (kind == b"\0" and name.endswith("/"))
    plain = kind in {b"0", b"\0"} and not extension.sparse
    size = size if extension.size is None else extension.size
    if is_folder or kind in _WITHOUT_CONTENT:
        size = 0
    if is_folder and not extension.sparse:
        return Member(name=name.rstrip("/"), kind=Kind.FOLDER, size=size)
    return Member(name=name, kind=Kind.FILE if plain else Kind.OTHER, size=size)


def _own_name(block: bytes) -> str:
    name, prefix = _text(block[:100]), _text(block[345:500])
    return f"{prefix}/{name}" if prefix and block[257:263] == b"ustar\0" else name


def _text(raw: bytes) -> str:
    """Bytes that are not UTF-8 become lone surrogates, which every check of names refuses."""
    return raw.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _records(body: bytes, budget: HeaderBudget) -> dict[bytes, bytes]:
    """Pax records: a length that includes itself, a blank, `key=value`, a newline; a key's last record counts."""
    found: dict[bytes, bytes] = {}
    at = count = 0
    body = body.rstrip(b"\0")
    while at < len(body):
        count += 1
        budget.spend(records=1)
        length = _LENGTH.match(body, at)
        if length is None or count > MOST_RECORDS:
            raise _damaged() if length is None else TooLarge.of("files", "an archive's header has too many records")
        end = at + int(length[1])
        key, separator, value = body[length.end() : end - 1].partition(b"=")
        if end > len(body) or body[end - 1 : end] != b"\n" or not key or not separator:
            raise _damaged()
        found[key] = value
        at = end
    return found


def _apply(records: dict[bytes, bytes], extension: _Extension) -> None:
    if b"path" in records:
        if b"\0" in records[b"path"]:
            raise _damaged()
        extension.name = _text(records[b"path"])
    if b"size" in records:
        if not _DECIMAL.fullmatch(records[b"size"]):
            raise _damaged()
        extension.size = int(records[b"size"])
    extension.sparse = extension.sparse or any(key.startswith(b"GNU.sparse.") for key in records)


def _check_global(records: dict[bytes, bytes]) -> None:
    """A comment, times and owners for all members do no harm; one name or size for all is no archive of files."""
    if any(key in {b"path", b"size", b"linkpath"} or key.startswith(b"GNU.sparse.") for key in records):
        raise InvalidInput.of("files", "an archive gives one name or size to all its members")


def _damaged() -> InvalidInput:
    return InvalidInput.of("files", "an archive is damaged or cut off")
