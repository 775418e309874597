"""Makes foreign text harmless as a cell of a CSV file, so that a spreadsheet takes none for a formula."""

from __future__ import annotations

import re

from core.domain.visible_text import visible

FORMULA = re.compile(r"^(?=\s*[=+\-@＝＋－＠])|(?<=;)(?=[\s\"']*[=+\-@＝＋－＠])")
"""Where a formula could begin: at the start, and after `;`, which separates cells in many languages' spreadsheets."""


def cell(text: str) -> str:
    """The text on one line, with an apostrophe before each sign that would begin a formula, and nothing invisible."""
    return FORMULA.sub("'", visible(" ".join(text.split("\n")).replace("\t", " ")))
