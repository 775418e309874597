"""A job's log file: bytes as they come, visible at once, up to a bound (LOG-1, LOG-3)."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

OWN = "[leadersboard] "
"""How the runner's own lines begin."""


class LogWriter:
    """Appends to one log file, from several threads. Lives as long as one attempt of a job.

    `max_bytes` and `max_lines` bound what a run may print before it is stopped; `kept_bytes` of it stay: the
    head, and the tail after a visible mark.
    """

    def __init__(self, path: Path, *, max_bytes: int, max_lines: int, kept_bytes: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o640)
        self._lock = threading.Lock()
        self._max_bytes, self._max_lines, self._half = max_bytes, max_lines, kept_bytes // 2
        self._bytes = self._lines = self._dropped = 0
        self._tail = bytearray()
        self._at_line_start = True
        self._output_ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            os.close(self._file)
            self._file = -1

    @property
    def over_limit(self) -> bool:
        """True once the run has printed more than it may."""
        return self._bytes > self._max_bytes or self._lines > self._max_lines

    @property
    def printed_bytes(self) -> int:
        return self._bytes

    def output(self, chunk: bytes) -> None:
        """What the run printed: the head goes to disk at once, of what is beyond it the last part is held back."""
        with self._lock:
            if self._output_ended:
                return
            room = max(0, self._half - self._bytes)
            self._bytes += len(chunk)
            self._lines += chunk.count(b"\n")
            self._append(chunk[:room])
            self._hold_back(chunk[room:])

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
            start = b"" if self._at_line_start else b"\n"
            self._append(start + f"{OWN}{sentence}\n".encode())

    def _append_tail(self) -> None:
        surplus = max(0, len(self._tail) - self._half)
        del self._tail[:surplus]
        self._dropped += surplus
        if self._dropped:
            self._append(f"\n{OWN}... {self._dropped} bytes were dropped here ...\n".encode())
        self._append(bytes(self._tail))
        self._tail.clear()
        self._dropped = 0

    def _append(self, chunk: bytes) -> None:
        if not chunk or self._file < 0:
            return
        self._at_line_start = chunk.endswith(b"\n")
        while chunk:
            chunk = chunk[os.write(self._file, chunk) :]
