"""Looks where a program that left no metrics.json names one in another folder; nothing of the program is run."""

from __future__ import annotations

from pathlib import Path

from core.domain.metrics_place import PATH_CHARS, named_line
from core.domain.report_notes import cut, on_one_line
from core.domain.submission import Submission

MOST_BYTES = 256 * 1024
"""How much of a file is looked at."""
MOST_FILES = 50


def metrics_line(folder: Path, submission: Submission) -> str:
    """E.g. "main.py, line 12,", safe to show; empty if nothing was found. The entrypoint is looked at first."""
    others = (file.path for file in submission.files if file.path.endswith(".py"))
    names = dict.fromkeys((submission.entrypoint, *others))
    for name in list(names)[:MOST_FILES]:
        if (number := named_line(_text(folder / name))) is not None:
            return f"{cut(on_one_line(name), PATH_CHARS)}, line {number},"
    return ""


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode(errors="replace")
    except OSError:  # it is only for a sentence
        return ""
