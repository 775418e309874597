"""Decodes texts that people save with the editors and shells of their machines (FLD-1)."""

from __future__ import annotations

import codecs

MARK = "\ufeff"
"""A byte order mark, decoded."""
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""What `>` in Windows PowerShell, and Notepad's "Unicode", put before a text."""
NUL = "\0"
SAVE_AS_UTF8 = "save it as UTF-8"


class NotText(ValueError):
    """Raised when bytes are in no encoding that is read here; its own text says what to do, for the sender."""


def decoded(raw: bytes) -> str:
    """The text of these bytes, without a byte order mark: UTF-16 if they begin with its mark, else UTF-8.

    Raises NotText, also for a NUL at the beginning, as UTF-16 without its mark and UTF-32 have it.
    """
    try:
        text = raw.decode("utf-16") if is_utf16(raw) else raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = NUL
    if NUL in text[:2]:
        raise NotText(f"is in an encoding other than UTF-8; {SAVE_AS_UTF8}")
    return text


def is_utf16(raw: bytes) -> bool:
    """Whether the bytes begin with a byte order mark of UTF-16."""
    return raw.startswith(UTF16)
