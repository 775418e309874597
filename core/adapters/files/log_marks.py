"""Finds the parts of a log that the platform wrote, by their marks; the marks are removed from the text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.domain.job_log import MARK

_OWN_LINE = re.compile(rb"^" + re.escape(MARK) + rb"[^\n]*\n?", re.MULTILINE)
Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkedText:
    """A text, the half-open ranges of characters in it that the platform wrote, and its length in bytes."""

    text: str
    platform: Ranges
    length: int


def marked_text(raw: bytes, before: bytes | None) -> MarkedText:
    """The text of `raw`. `before` is the part of its first line before it; None if longer than any platform line.

    Bytes at the end that may become a character or a mark together with later bytes are left for the next piece.
    """
    whole, start = (before or b"") + raw, len(before or b"")
    first = 0 if before is not None else raw.find(b"\n") + 1 or len(raw)
    end = _before_half_a_mark(whole, first, start)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    texts: list[str] = []
    ranges: list[tuple[int, int]] = []
    length = 0
    for begin, stop, ours in _parts(whole, first, start, end):
        told = decoder.decode(whole[begin:stop], final=stop < end)
        if ours and told:
            _add(ranges, length, length + len(told))
        texts.append(told)
        length += len(told)
    return MarkedText(text="".join(texts), platform=tuple(ranges), length=end - start - len(decoder.getstate()[0]))


def _before_half_a_mark(whole: bytes, first: int, start: int) -> int:
    """The end of the text, before any bytes at the end that may be the beginning of a mark."""
    line = max(whole.rfind(b"\n") + 1, first)
    rest = whole[line:]
    undecided = bool(rest) and len(rest) < len(MARK) and MARK.startswith(rest)
    return max(line, start) if undecided else len(whole)


def _parts(whole: bytes, first: int, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """From `start` to `end`, alternating parts of the run and of the platform, without the marks; no part is empty."""
    at = start
    for found in _OWN_LINE.finditer(whole, first, end):
        begin, stop = found.span()
        if stop <= start:
            continue
        if at < begin:
            yield at, begin, False
        at = max(at, begin + 1)
        if at < stop:
            yield at, stop, True
        at = stop
    if at < end:
        yield at, end, False


def _add(ranges: list[tuple[int, int]], start: int, stop: int) -> None:
    if ranges and ranges[-1][1] == start:
        start = ranges.pop()[0]
    ranges.append((start, stop))
