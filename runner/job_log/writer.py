"""A job's log file: bytes as they come, visible at once, up to a bound (LOG-1, LOG-3)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from core.adapters.room import NO_ROOM, UNUSABLE
from core.ports.sandbox import Stream
from runner.job_log.place import Held, Place
from runner.job_log.position import Intent, Kind, Position, Reached

OWN = "[leadersboard] "
"""How the runner's own lines begin; what a run prints never holds it."""
MARK = OWN.strip().encode()
FULL = "the disk was full"
BROKEN = "the disk could not be written"
INCOMPLETE = f"\n{OWN}... more is missing: nobody read it, and the engine had not kept all of it ...\n".encode()


class LogWriter:
    """Appends to one log file, from several threads. Lives as long as one runner holds one attempt of a job.

    `max_bytes` and `max_lines` bound what a run may print before it is stopped; `kept_bytes` of it stay: the
    head, and the tail after a visible mark. `position` is a file beside it, from which a successor goes on; one that is
    not `trusted` is of a time before the machine was started anew. One who was merely slow, or asleep, writes into a
    file that nobody reads any more; before each line of our own it asks whether the job is `still_ours`, which raises.
    """

    def __init__(
        self,
        path: Path,
        *,
        position: Path,
        max_bytes: int,
        max_lines: int,
        kept_bytes: int,
        trusted: bool = True,
        still_ours: Callable[[], None],
    ) -> None:
        self._place = Place(log=path, position=position, still_ours=still_ours)
        self._lock = threading.Lock()
        self._max_bytes, self._max_lines, self._half = max_bytes, max_lines, kept_bytes // 2
        self._hold(self._place.take(trusted=trusted))
        self._dropped, self._hindrance = 0, FULL
        self._tail = bytearray()
        self._output_ended = self._closed = self._incomplete = False

    def _hold(self, held: Held) -> None:
        self._held = held
        self._taken = self._written = held.reached.position
        self._size, self._missing = held.reached.size, held.reached.missing
        self._end = os.pread(held.log, len(MARK) - 1, max(0, self._size + 1 - len(MARK)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._output_ended = self._closed = True
            self._held.close()

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

    def incomplete(self) -> None:
        """Told of the run's output where the rest of it is dropped, too, or where the run ends."""
        with self._lock:
            self._incomplete = True

    def settle(self) -> None:
        """On disk afterwards: all that was taken, or how much of it is missing there for want of room.

        Raises what `still_ours` raises, when the file is not ours any more.
        """
        with self._lock:
            self._keep_place()
            self._append_tail()
            if self._missing and not self._closed:
                self._held.position.write(self._reached().intent())

    def keep_place(self) -> None:
        """What readers find is ours afterwards. Raises as `settle`."""
        with self._lock:
            self._keep_place()

    def _keep_place(self) -> None:
        if self._closed or self._place.names(self._held.log):
            return
        taken, former = self._taken, self._held
        self._hold(self._place.put_back(former.log, self._reached()))
        self._taken = taken
        former.close()

    def _reached(self) -> Reached:
        return Reached(position=self._written, size=self._size, missing=self._missing)

    def _hold_back(self, chunk: bytes) -> None:
        self._tail += chunk
        if len(self._tail) > 2 * self._half:
            self._dropped += len(self._tail) - self._half
            del self._tail[: -self._half]

    def say(self, sentence: str) -> None:
        """One line of the runner's own, always on a line of itself, after everything that was printed before it."""
        with self._lock:
            self._keep_place()
            self._append_tail()
            start = b"" if self._end[-1:] in {b"", b"\n"} else b"\n"
            self._append(start + f"{OWN}{sentence}\n".encode(), Kind.OWN, self._written)

    def say_once(self, sentence: str) -> None:
        """The same, unless the log already ends with it: an earlier runner may have come as far."""
        if not self._ends_with(f"{OWN}{sentence}\n".encode()):
            self.say(sentence)

    def _ends_with(self, line: bytes) -> bool:
        with self._lock:
            self._keep_place()
            if self._tail or self._closed or self._size < len(line):
                return False
            return os.pread(self._held.log, len(line), self._size - len(line)) == line

    def _append_tail(self) -> None:
        surplus = max(0, len(self._tail) - self._half)
        del self._tail[:surplus]
        self._dropped += surplus
        mark = f"\n{OWN}... {self._dropped} bytes were dropped here ...\n".encode() if self._dropped else b""
        mark += INCOMPLETE if self._incomplete else b""
        tail = unlike_ours(bytes(self._tail), b"" if mark else self._end)
        self._append(mark + tail, Kind.TAIL, self._taken)
        self._tail.clear()
        self._dropped, self._incomplete = 0, False

    def _append(self, chunk: bytes, kind: Kind, after: Position) -> None:
        if not chunk or self._closed:
            return
        if self._missing:
            words = f"\n{OWN}... {self._missing} bytes are missing here: {self._hindrance} ...\n".encode()
            self._missing = self._missing if self._put(words, Kind.OWN, self._written) else 0
        self._missing += len(chunk) if self._missing else self._put(chunk, kind, after)
        self._written = after

    def _put(self, chunk: bytes, kind: Kind, after: Position) -> int:
        """How many of the bytes could not be written, for want of room."""
        intent = Intent(
            kind=kind, offset=self._size, length=len(chunk), before=self._written, after=after, missing=self._missing
        )
        try:
            self._held.position.write(intent)
            while chunk:
                written = os.write(self._held.log, chunk)
                self._size += written
                self._end = (self._end + chunk[:written])[1 - len(MARK) :]
                chunk = chunk[written:]
        except OSError as error:
            if error.errno not in UNUSABLE:
                raise
            self._hindrance = FULL if error.errno in NO_ROOM else BROKEN
        return len(chunk)


def unlike_ours(chunk: bytes, before: bytes) -> bytes:
    """What a run printed, as long as it was, with `[leadersboard)` where it imitates us; `before` ends the file.

    Only the last byte of an imitation is changed, so that one which comes in pieces is caught with its last piece.
    """
    return (before + chunk).replace(MARK, MARK[:-1] + b")")[len(before) :]
