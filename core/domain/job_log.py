"""The two channels of a job's log: lines of the platform begin with a byte that no run can write there."""

from __future__ import annotations

from core.domain.visible_text import visible

OWN = "[leadersboard] "
"""For people; it proves nothing, a run may print the same."""
SIGN = b"\xff"
"""Occurs in no UTF-8. The log writer lets none of a run's through."""
MARK = SIGN + OWN.encode()
"""How a line of the platform begins. Runners of earlier versions let a run's 0xFF through, but no `[leadersboard]`."""
LINE_BYTES = 4096
"""The longest line of the platform, its mark and its end included: so far back a reader looks for a mark."""
CUT = " …"


def own_line(sentence: str) -> bytes:
    """One whole line of the platform. What of the sentence could end or reorder the line is shown as its number."""
    text = visible(sentence.replace("\n", " ").replace("\t", " ")).encode()
    room = LINE_BYTES - len(MARK) - 1
    if len(text) > room:
        text = text[: room - len(CUT.encode())].decode(errors="ignore").encode() + CUT.encode()
    return MARK + text + b"\n"


def printed(chunk: bytes) -> bytes:
    """What a run printed, as long as it was, without the sign of the platform; both bytes read as U+FFFD."""
    return chunk.replace(SIGN, b"\xfe")
