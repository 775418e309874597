"""The two channels of a job's log: a line of the platform begins with a byte that no run can write."""

from __future__ import annotations

from core.domain.visible_text import visible

OWN = "[leadersboard] "
"""For human readers; no proof, since a run may print the same text."""
SIGN = b"\xff"
"""Occurs in no UTF-8 text. The log writer replaces it in the output of runs."""
MARK = SIGN + OWN.encode()
"""The beginning of a platform line. Runners of earlier versions let a run print 0xFF, but not `[leadersboard]`."""
LINE_BYTES = 4096
"""The longest platform line, including its mark and its end: a reader searches that far back for a mark."""
CUT = " …"


def own_line(sentence: str) -> bytes:
    """One complete platform line. Characters that could end or reorder the line are shown as their code points."""
    text = visible(sentence.replace("\n", " ").replace("\t", " ")).encode()
    room = LINE_BYTES - len(MARK) - 1
    if len(text) > room:
        text = text[: room - len(CUT.encode())].decode(errors="ignore").encode() + CUT.encode()
    return MARK + text + b"\n"


def printed(chunk: bytes) -> bytes:
    """A run's output at the same length, without the platform's sign; either byte is decoded as U+FFFD."""
    return chunk.replace(SIGN, b"\xfe")
