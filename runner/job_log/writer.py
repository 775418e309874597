"""A job's log file: bytes as they come, visible at once, up to a bound (LOG-1, LOG-3)."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from core.adapters.room import NO_ROOM
from core.domain.errors import Unavailable
from core.ports.sandbox import Stream
from runner.job_log import position as log_position
from runner.job_log.position import Intent, Kind, Position, PositionFile

OWN = "[leadersboard] "
"""How the runner's own lines begin; what a run prints never holds it."""
MARK = OWN.strip().encode()
SETTLE_SECONDS = 10.0
"""So long a predecessor that lost its lease may still write."""


class LogWriter:
    """Appends to one log file, from several threads. Lives as long as one runner holds one attempt of a job.

    `max_bytes` and `max_lines` bound what a run may print before it is stopped; `kept_bytes` of it stay: the
    head, and the tail after a visible mark. `position` is a file beside it, from which `taken_over` goes on.
    """

    def __init__(
        self,
        path: Path,
        *,
        position: Path,
        max_bytes: int,
        max_lines: int,
        kept_bytes: int,
        begun: Position | None = None,
    ) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
        self._position_file = PositionFile(position)
        self._lock = threading.Lock()
        self._max_bytes, self._max_lines, self._half = max_bytes, max_lines, kept_bytes // 2
        self._taken = self._written = begun or Position()
        self._size = os.fstat(self._file).st_size
        self._dropped = self._missing = 0
        self._tail = bytearray()
        self._end = _last_bytes(path, self._size)
        self._output_ended = False

    @classmethod
    def taken_over(cls, path: Path, *, position: Path, max_bytes: int, max_lines: int, kept_bytes: int) -> Self:
        """Go on where a predecessor stopped. One that was merely slow writes into a file that nobody reads any more.

        Raises Unavailable when the predecessor does not come to rest.
        """
        begun = _inherited(path, position)
        return cls(
            path,
            position=position,
            max_bytes=max_bytes,
            max_lines=max_lines,
            kept_bytes=kept_bytes,
            begun=begun,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._output_ended = True
            os.close(self._file)
            self._position_file.close()
            self._file = -1

    @property
    def over_limit(self) -> bool:
        """True once the run has printed more than it may."""
        return self._taken.total > self._max_bytes or self._taken.lines > self._max_lines

    @property
    def printed_bytes(self) -> int:
        return self._taken.total

    def taken_of(self, stream: Stream) -> int:
        """How many bytes of the stream were taken so far: a reader that begins anew goes on there."""
        return self._taken.of(stream)

    def output(self, chunk: bytes, stream: Stream) -> None:
        """What the run printed: the head goes to disk at once, of what is beyond it the last part is held back."""
        with self._lock:
            if self._output_ended:
                return
            room = max(0, self._half - self._taken.total)
            head, rest = chunk[:room], chunk[room:]
            if head:
                head = unlike_ours(head, self._end)
                self._append(head, Kind(stream), self._written.after(head, stream))
            self._taken = self._taken.after(chunk, stream)
            self._hold_back(rest)

    def end_output(self) -> None:
        """Nothing that a run printed follows from here on: the last line is ours."""
        with self._lock:
            self._output_ended = True

    def _hold_back(self, chunk: bytes) -> None:
        self._tail += chunk
        if len(self._tail) > 2 * self._half:
            self._dropped += len(self._tail) - self._half
            del self._tail[: -self._half]

    def say(self, sentence: str) -> None:
        """One line of the runner's own, always on a line of itself, after everything that was printed before it."""
        with self._lock:
            self._append_tail()
            start = b"" if self._end[-1:] in {b"", b"\n"} else b"\n"
            self._append(start + f"{OWN}{sentence}\n".encode(), Kind.OWN, self._written)

    def say_once(self, sentence: str) -> None:
        """The same, unless the log already ends with it: an earlier runner may have come as far."""
        if not self._ends_with(f"{OWN}{sentence}\n".encode()):
            self.say(sentence)

    def _ends_with(self, line: bytes) -> bool:
        with self._lock:
            if self._tail or self._size < len(line):
                return False
        with self._path.open("rb") as file:
            file.seek(self._size - len(line))
            return file.read(len(line)) == line

    def _append_tail(self) -> None:
        surplus = max(0, len(self._tail) - self._half)
        del self._tail[:surplus]
        self._dropped += surplus
        mark = f"\n{OWN}... {self._dropped} bytes were dropped here ...\n".encode() if self._dropped else b""
        tail = unlike_ours(bytes(self._tail), b"" if mark else self._end)
        self._append(mark + tail, Kind.TAIL, self._taken)
        self._tail.clear()
        self._dropped = 0

    def _append(self, chunk: bytes, kind: Kind, after: Position) -> None:
        if not chunk or self._file < 0:
            return
        missing, self._missing = self._missing, 0
        if missing:
            words = f"\n{OWN}... {missing} bytes are missing here: the disk was full ...\n".encode()
            self._missing = missing if self._put(words, Kind.OWN, self._written) else 0
        self._missing += len(chunk) if self._missing else self._put(chunk, kind, after)
        self._written = after

    def _put(self, chunk: bytes, kind: Kind, after: Position) -> int:
        """How many of the bytes could not be written, for want of room."""
        intent = Intent(kind=kind, offset=self._size, length=len(chunk), before=self._written, after=after)
        try:
            self._position_file.write(intent)
            while chunk:
                written = os.write(self._file, chunk)
                self._size += written
                self._end = (self._end + chunk[:written])[1 - len(MARK) :]
                chunk = chunk[written:]
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
        return len(chunk)


def unlike_ours(chunk: bytes, before: bytes) -> bytes:
    """What a run printed, as long as it was, with `[leadersboard)` where it imitates us; `before` ends the file.

    Only the last byte of an imitation is changed, so that one which comes in pieces is caught with its last piece.
    """
    return (before + chunk).replace(MARK, MARK[:-1] + b")")[len(before) :]


def _last_bytes(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, size + 1 - len(MARK)))
        return file.read(len(MARK) - 1)


def _inherited(path: Path, position: Path) -> Position:
    """Put a copy in the place of the log, which only we write, and say how far it has come."""
    for stray in path.parent.glob(f".{path.name}.*"):  # of a successor that was killed here
        stray.unlink(missing_ok=True)
    copy = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        intent = _at_rest(position, lambda: shutil.copyfile(path, copy) if path.exists() else copy.touch())
        reached, size = intent.outcome(copy) if intent else (Position(), copy.stat().st_size)
        os.truncate(copy, size)
        copy.chmod(0o640)
        copy.replace(path)
        position.unlink(missing_ok=True)
    finally:
        copy.unlink(missing_ok=True)
    _write_reached(position, reached, size)
    return reached


def _write_reached(position: Path, reached: Position, size: int) -> None:
    """The successor's own record, before its first append."""
    file = PositionFile(position)
    try:
        file.write(Intent(kind=Kind.OWN, offset=size, length=0, before=reached, after=reached))
    finally:
        file.close()


def _at_rest(position: Path, copy: Callable[[], object]) -> Intent | None:
    """The intent that belongs to the copy: the same before and after it was made."""
    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        before = log_position.read(position)
        copy()
        if log_position.read(position) == before:
            return before
    raise Unavailable("The log", "its former writer has not come to rest")
