"""A write-ahead record of how far into a run's output its log has come, so that a successor goes on at the right byte.

A successor compares the append that the record announces with how much the file has grown since; that works wherever a
process is killed. There is one record, overwritten in place: like a run, it outlives its process but not the machine.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Self

from core.ports.sandbox import Stream

_RECORD = struct.Struct("<B9Q")


class Kind(IntEnum):
    """What was about to be appended."""

    STDOUT = 1
    STDERR = 2
    OWN = 3
    """A line of the runner's; a half-written one is dropped, since a run's output would continue it."""
    TAIL = 4
    """The held back end of a long output; a half-written one is dropped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """How many bytes of each stream, and how many lines, are accounted for."""

    stdout: int = 0
    stderr: int = 0
    lines: int = 0

    @property
    def total(self) -> int:
        return self.stdout + self.stderr

    def of(self, stream: Stream) -> int:
        return self.stderr if stream is Stream.STDERR else self.stdout

    def after(self, chunk: bytes, stream: Stream) -> Position:
        lines = self.lines + chunk.count(b"\n")
        if stream is Stream.STDERR:
            return Position(stdout=self.stdout, stderr=self.stderr + len(chunk), lines=lines)
        return Position(stdout=self.stdout + len(chunk), stderr=self.stderr, lines=lines)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """How far a log has come: the size that it should have, and the output that is accounted for in it."""

    position: Position = field(default_factory=Position)
    size: int
    missing: int = 0
    """How many of the bytes accounted for are not in the file, where no line says so yet."""

    def intent(self) -> Intent:
        """The record while nothing is about to be appended."""
        return Intent(
            kind=Kind.OWN, offset=self.size, length=0, before=self.position, after=self.position, missing=self.missing
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent:
    """One append: its kind, its offset in the file, its length in bytes, and the position before and after it."""

    kind: Kind
    offset: int
    length: int
    before: Position
    after: Position
    missing: int = 0
    """How many missing bytes the log has still to mention; this append does so if it is not empty."""

    def packed(self) -> bytes:
        before, after = self.before, self.after
        return _RECORD.pack(
            self.kind, self.offset, self.length,
            before.stdout, before.stderr, before.lines, after.stdout, after.stderr, after.lines, self.missing,
        )  # fmt: skip

    @classmethod
    def unpacked(cls, record: bytes) -> Self:
        kind, offset, length, *counts, missing = _RECORD.unpack(record)
        before, after = (
            Position(stdout=stdout, stderr=stderr, lines=lines) for stdout, stderr, lines in (counts[:3], counts[3:])
        )
        return cls(kind=Kind(kind), offset=offset, length=length, before=before, after=after, missing=missing)

    def outcome(self, log: int) -> Reached:
        """How far this open file has come after the append, which may be complete or not (see the module's docstring).

        Bytes after the recorded append are discarded: a fenced-off writer's, or half of a tail or of a line.
        """
        size = os.fstat(log).st_size
        if size < self.offset:
            return self._without_earlier(size)
        applied = min(size - self.offset, self.length)
        if applied == self.length:
            return Reached(position=self.after, size=self.offset + applied, missing=0 if applied else self.missing)
        if self.kind in {Kind.OWN, Kind.TAIL} or self.missing:
            return Reached(position=self.before, size=min(size, self.offset), missing=self.missing)
        if not applied:
            return Reached(position=self.before, size=size)
        printed = os.pread(log, applied, self.offset)
        return Reached(position=self.before.after(printed, Stream(self.kind)), size=size)

    def _without_earlier(self, size: int) -> Reached:
        """Where the file has not even what was appended earlier: another folder stood in for the site's meanwhile.

        A run of which nothing is there is read again from its beginning; otherwise the log says how much is missing.
        """
        if not size:
            return Reached(size=0, missing=max(0, self.offset - self.before.total))
        return Reached(position=self.before, size=size, missing=self.missing + self.offset - size)


class PositionFile:
    """The file with the last intent. Lives as long as the writer of the log."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o640)

    def write(self, intent: Intent) -> None:
        os.pwrite(self._file, intent.packed(), 0)

    def close(self) -> None:
        os.close(self._file)


def read(path: Path) -> Intent | None:
    """The last intent; None when no writer has begun. Reads again while a writer is changing it."""
    while (record := _content(path)) != _content(path):  # its writer is changing it
        pass
    return Intent.unpacked(record) if len(record) == _RECORD.size else None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
