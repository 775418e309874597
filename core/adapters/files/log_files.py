"""Reads a growing log: its tail, in blocks from the end, or what follows a byte offset."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from core.adapters.files.log_marks import marked_text
from core.domain.job_log import LINE_BYTES, MARK
from core.ports.storage import LogSlice

BLOCK = 64 * 1024
MAX_TAIL_BYTES = 4 * 1024 * 1024


def tail(path: Path, lines: int) -> LogSlice:
    """The last `lines` lines, at most 4 MB; an empty text if the file does not exist."""
    try:
        with path.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            raw = _last_lines(log, end, lines)
            return _told(raw, end - len(raw), _before(log, end - len(raw)))
    except FileNotFoundError:
        return LogSlice(text="", offset=0, next_offset=0)


def slice_from(path: Path, offset: int, max_bytes: int) -> LogSlice:
    """The log from byte `offset` on, at most `max_bytes` (or one mark); empty if the offset is past the end."""
    try:
        with path.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            start = min(offset, end)
            before = _before(log, start)
            raw = log.read(max_bytes)
            found = _told(raw, start, before)
            if raw and found.next_offset == start and len(raw) < len(MARK):  # fewer bytes than a mark has
                found = _told(raw + log.read(len(MARK) - len(raw)), start, before)
            return found
    except FileNotFoundError:
        return LogSlice(text="", offset=0, next_offset=0)


def _before(log: IO[bytes], start: int) -> bytes | None:
    """The bytes before `start` on its line; None if longer than any platform line. Leaves the file at `start`."""
    back = min(start, LINE_BYTES)
    log.seek(start - back)
    found = log.read(back)
    cut = found.rfind(b"\n") + 1
    return found[cut:] if cut or back == start else None


def _last_lines(log: IO[bytes], end: int, lines: int) -> bytes:
    position, found = end, b""
    while position > 0 and found.count(b"\n") <= lines and len(found) < MAX_TAIL_BYTES:
        size = min(BLOCK, position)
        position -= size
        log.seek(position)
        found = log.read(size) + found
    return _after_nth_newline_from_end(found, lines)


def _after_nth_newline_from_end(raw: bytes, lines: int) -> bytes:
    cut = len(raw) - raw.endswith(b"\n") if lines else len(raw) + 1
    for _line in range(lines):
        cut = raw.rfind(b"\n", 0, cut)
        if cut < 0:
            return raw
    return raw[cut + 1 :]


def _told(raw: bytes, start: int, before: bytes | None) -> LogSlice:
    found = marked_text(raw, before)
    return LogSlice(text=found.text, platform=found.platform, offset=start, next_offset=start + found.length)
