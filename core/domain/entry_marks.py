"""Marks of a board's entry: its owner's title and note, whether it is hidden, and what admins decided about it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from core.domain.errors import InvalidInput
from core.domain.visible_text import visible

LONGEST_TITLE = 100
LONGEST_NOTE = 300
LONGEST_REASON = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryMarks:
    """Everything said about an entry after its run has ended. It changes no value."""

    title: str = ""
    note: str = ""
    is_hidden: bool = False
    """By its owner. A disqualified entry is shown all the same."""
    disqualified_because: str = ""
    """An admin's reason; empty for an entry that counts."""
    is_baseline: bool = False
    """Pinned by an admin: the board shows it in its place, and no rank counts it."""

    @property
    def is_disqualified(self) -> bool:
        return bool(self.disqualified_because)


UNMARKED = EntryMarks()


def cleaned(field: str, text: str, longest: int) -> str:
    """A user's text on one line, composed (NFC), with nothing invisible in it. Raises InvalidInput.

    `longest` counts the characters that were sent, before composed and visible forms take the place of some.
    """
    line = " ".join(text.split())
    if len(line) > longest:
        raise InvalidInput.of(field, f"is at most {longest} characters long, and this one has {len(line)}; shorten it")
    return visible(unicodedata.normalize("NFC", line))
