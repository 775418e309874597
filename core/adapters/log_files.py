"""Reading a growing log: its tail from the end in blocks, or what came after a byte."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import IO

from core.ports.storage import LogSlice

BLOCK = 64 * 1024
MAX_TAIL_BYTES = 4 * 1024 * 1024


def tail(path: Path, lines: int) -> LogSlice:
    """The last `lines` lines, and at most 4 MB; an empty text while the file is not there."""
    try:
        with path.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            raw = _last_lines(log, end, lines)
    except FileNotFoundError:
        return LogSlice(text="", offset=0, next_offset=0)
    return _decoded(raw, end - len(raw))


def slice_from(path: Path, offset: int, max_bytes: int) -> LogSlice:
    """At most `max_bytes` that came after byte `offset`; an offset past the end answers nothing."""
    try:
        with path.open("rb") as log:
            end = log.seek(0, os.SEEK_END)
            start = min(offset, end)
            log.seek(start)
            raw = log.read(max_bytes)
    except FileNotFoundError:
        return LogSlice(text="", offset=0, next_offset=0)
    return _decoded(raw, start)


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


def _decoded(raw: bytes, start: int) -> LogSlice:
    """The text of `raw`, which begins at byte `start`; a character cut at the end is left for the next slice."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(raw)
    return LogSlice(text=text, offset=start, next_offset=start + len(raw) - len(decoder.getstate()[0]))
