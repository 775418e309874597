"""Writes a job's log file: bytes as they come, visible at once, up to a bound (LOG-1, LOG-3)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from core.adapters.files.disk_space import NO_ROOM, UNUSABLE
from core.domain.job_log import LINE_BYTES, SIGN, own_line, printed
from core.ports.sandbox import Stream
from runner.job_log.handover import LogFiles, OpenFiles
from runner.job_log.journal import Intent, Kind, Position, Reached

FULL = "the disk was full"
BROKEN = "the disk could not be written"
INCOMPLETE = b"\n" + own_line("... more is missing: nobody read it, and the engine had not kept all of it ...")
OURS = frozenset({Kind.OWN, Kind.TAIL})
"""Kinds that may hold a line of the platform: if half-written, a run's output must not continue it."""


class LogWriter:
    """Appends to one log file, from several threads. Lives as long as one runner holds one attempt of a job.

    `max_bytes` and `max_lines` bound what a run may print before it is stopped; `kept_bytes` of it stay: the
    head, and the tail after a visible mark. What a run prints past them, until it is stopped, is only counted.
    `position` is the file from which a successor goes on; one that is not `trusted` dates from before a restart of the
    machine. A former writer that was only slow, or paused, writes into a file without a name. Before each line of our
    own a writer whose file was replaced calls `confirm`, which raises when the job is another runner's.
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
        confirm: Callable[[], None],
    ) -> None:
        self._files = LogFiles(log=path, position=position, confirm=confirm)
        self._lock = threading.Lock()
        self._max_bytes, self._max_lines, self._half = max_bytes, max_lines, kept_bytes // 2
        self._hold(self._files.take(trusted=trusted))
        self._dropped, self._hindrance = 0, FULL
        self._tail = bytearray()
        self._output_ended = self._closed = self._incomplete = False

    def _hold(self, held: OpenFiles) -> None:
        self._held = held
        self._taken = self._written = held.reached.position
        self._size, self._missing = held.reached.size, held.reached.missing
        last = _last_line(held.log, self._size)
        self._end, self._torn = last[-1:], last.startswith(SIGN) and not last.endswith(b"\n")

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
        """How many bytes of the stream were taken so far; a new reader goes on there."""
        return self._taken.of(stream)

    def output(self, chunk: bytes, stream: Stream) -> None:
        """Takes what the run printed: the head goes to disk at once; of the rest the last part is held back."""
        with self._lock:
            if self._output_ended:
                return
            if self.over_limit:
                self._dropped += len(chunk)
            else:
                self._keep(chunk, stream)
            self._taken = self._taken.after(chunk, stream)

    def _keep(self, chunk: bytes, stream: Stream) -> None:
        room = max(0, self._half - self._taken.total)
        head, rest = chunk[:room], chunk[room:]
        if head:
            self._append(printed(head), Kind(stream), self._written.after(head, stream))
        self._hold_back(rest)

    def end_output(self) -> None:
        """Takes no more output from here on, so that the last line is ours."""
        with self._lock:
            self._output_ended = True

    def incomplete(self) -> None:
        """Notes that output is missing; the log says so where the rest is dropped, too, or where the run ends."""
        with self._lock:
            self._incomplete = True

    def last_words(self, size: int) -> str:
        """The last `size` bytes that the run printed, as text; lines of the platform are left out."""
        with self._lock:
            start = max(0, self._size - 2 * size - LINE_BYTES)  # a line of ours is seen from its mark on
            kept = b"" if self._closed else os.pread(self._held.log, self._size - start, start)
            lines = (kept + printed(bytes(self._tail[-size:]))).splitlines(keepends=True)
        return b"".join(line for line in lines if not line.startswith(SIGN))[-size:].decode(errors="replace")

    def settle(self) -> None:
        """Puts all that was taken on disk, or notes how much of it is missing because the disk was full.

        Raises what `confirm` raises when the file was replaced.
        """
        with self._lock:
            self._keep_name()
            self._append_tail()
            if self._missing and not self._closed:
                self._held.position.write(self._reached().intent())

    def keep_name(self) -> None:
        """Makes our file the one that readers find. Raises as `settle`."""
        with self._lock:
            self._keep_name()

    def _keep_name(self) -> None:
        if self._closed or self._files.names(self._held.log):
            return
        taken, former = self._taken, self._held
        self._hold(self._files.put_back(former.log, self._reached()))
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
        """Writes a sentence of the runner's on a line of its own, after everything that was printed before."""
        with self._lock:
            self._keep_name()
            self._append_tail()
            self._append(self._line_start() + own_line(sentence), Kind.OWN, self._written)

    def quote(self, line: str) -> None:
        """Writes a line of a program that worked for the run, e.g. pip: on the run's channel, not the platform's."""
        with self._lock:
            self._keep_name()
            self._append_tail()
            quoted = printed(line.encode(errors="replace")) + b"\n"
            self._append(self._line_start() + quoted, Kind.OWN, self._written)

    def _line_start(self) -> bytes:
        return b"" if self._end in {b"", b"\n"} else b"\n"

    def say_once(self, *sentences: str) -> None:
        """Like `say` for each, unless the log already ends with these lines, e.g. written by an earlier runner."""
        if not self._ends_with(b"".join(map(own_line, sentences))):
            for sentence in sentences:
                self.say(sentence)

    def _ends_with(self, line: bytes) -> bool:
        with self._lock:
            self._keep_name()
            if self._tail or self._closed or self._size < len(line):
                return False
            return os.pread(self._held.log, len(line), self._size - len(line)) == line

    def _append_tail(self) -> None:
        surplus = max(0, len(self._tail) - self._half)
        del self._tail[:surplus]
        self._dropped += surplus
        mark = b"\n" + own_line(f"... {self._dropped} bytes were dropped here ...") if self._dropped else b""
        mark += INCOMPLETE if self._incomplete else b""
        self._append(mark + printed(bytes(self._tail)), Kind.TAIL, self._taken)
        self._tail.clear()
        self._dropped, self._incomplete = 0, False

    def _append(self, chunk: bytes, kind: Kind, after: Position) -> None:
        if not chunk or self._closed:
            return
        words = self._words_first(kind)
        if words and self._put(words, Kind.OWN, self._written):
            self._missing += len(chunk)
        else:
            self._missing = 0
            self._missing = self._put(chunk, kind, after)
        self._written = after

    def _words_first(self, kind: Kind) -> bytes:
        """What must be written before the next append: a line on missing bytes, or the end of a half-written line."""
        if self._missing:
            return b"\n" + own_line(f"... {self._missing} bytes are missing here: {self._hindrance} ...")
        return b"\n" if self._torn and kind is not Kind.OWN else b""

    def _put(self, chunk: bytes, kind: Kind, after: Position) -> int:
        """Appends `chunk`. Returns how many of its bytes could not be written because the disk was full or failed."""
        intent = Intent(
            kind=kind, offset=self._size, length=len(chunk), before=self._written, after=after, missing=self._missing
        )
        try:
            self._held.position.write(intent)
            while chunk:
                written = os.write(self._held.log, chunk)
                self._size += written
                self._end, chunk = chunk[written - 1 : written], chunk[written:]
                self._torn = bool(chunk) and kind in OURS
        except OSError as error:
            if error.errno not in UNUSABLE:
                raise
            self._hindrance = FULL if error.errno in NO_ROOM else BROKEN
        return len(chunk)


def _last_line(log: int, size: int) -> bytes:
    """The last line of a file of this size, with its newline if any; of one longer than ours only the last part."""
    start = max(0, size - LINE_BYTES - 1)
    found = os.pread(log, size - start, start)
    begin = found.rfind(b"\n", 0, max(0, len(found) - 1)) + 1
    return found[begin:] if begin or not start else found[-1:].replace(SIGN, b"\xfe")
