"""Texts in a CSV file: no spreadsheet takes one for a formula."""

from __future__ import annotations

import pytest

from core.domain.spreadsheet import cell

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "' =1"),
        ("\r=1", "‹U+000D›=1"),
        ("\n=1", "' =1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("a;=1;b", "a;'=1;b"),
        ('a; "@x', "a;' \"@x"),
        ("\u200b=1", "‹U+200B›=1"),
    ],
)
def test_nothing_begins_a_formula(hostile: str, shown: str) -> None:
    """Also not after a semicolon, which separates cells where a comma is in numbers, or after blanks."""
    assert cell(hostile) == shown


@pytest.mark.parametrize("text", ["", "PaDiM", "a=b", "a - b", "1.5", "パッチ", "x, -y", "résumé (v2)"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert cell(text) == text
