"""Texts about entries as users write them."""

from __future__ import annotations

import pytest

from core.domain.entry_marks import EntryMarks, cleaned
from core.domain.errors import InvalidInput

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  PaDiM,\n\t100  features ", "PaDiM, 100 features"),
        ("\r\n \u2028", ""),
        ("cafe\u0301", "café"),
        ("a\u202eb\u200bc\x00", "a‹U+202E›b‹U+200B›c‹U+0000›"),
        ("<b>=1+1</b>", "<b>=1+1</b>"),
    ],
)
def test_a_text_is_one_visible_line(sent: str, kept: str) -> None:
    assert cleaned("title", sent, 100) == kept
    assert cleaned("title", kept, 100) == kept


def test_a_long_text_is_refused_by_what_was_sent() -> None:
    """Blanks at its ends do not count, and what is written out counts once."""
    assert cleaned("title", f" {'x' * 100} ", 100) == "x" * 100
    with pytest.raises(InvalidInput, match="title: is at most 100 characters long, and this one has 101"):
        cleaned("title", "x" * 101, 100)
    assert cleaned("title", "\u200b" * 100, 100) == "‹U+200B›" * 100


def test_a_reason_makes_an_entry_disqualified() -> None:
    assert EntryMarks(disqualified_because="why").is_disqualified
    assert not EntryMarks(title="t", is_hidden=True).is_disqualified
