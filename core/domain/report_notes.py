"""Sentences about entries of a report that do not count: bounded in number and length, safe to show."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from core.domain.visible_text import visible

MAX_NOTES = 20
MAX_NAMED = 500
"""How many names are kept with the reason why they do not count."""
VALUE_CHARS = 60
NAME_CHARS = 80
NOTE_CHARS = 400


@dataclass(kw_only=True, slots=True)
class Notes:
    """Collects notes while one report is read; keeps the first MAX_NOTES and counts the rest."""

    _kept: list[str] = field(default_factory=list)
    _more: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    """Metrics that do not count, by name, each with the reason."""

    def add(self, sentence: str) -> None:
        if len(self._kept) < MAX_NOTES:
            self._kept.append(sentence[:NOTE_CHARS])
        else:
            self._more += 1

    def leave_out(self, where: str, name: str, value: Any, fault: str) -> None:
        """Adds a note on one entry that does not count. `fault` completes "was left out: " and says what to write."""
        if len(self._kept) < MAX_NOTES:
            self.add(f"{where}[{shown_name(name)}] = {shown(value)} was left out: {fault}")
        else:
            self._more += 1
        if where == "metrics" and len(self.left_out) < MAX_NAMED:
            self.left_out.setdefault(name, fault)

    @property
    def sentences(self) -> tuple[str, ...]:
        return (*self._kept, *((f"… and {self._more} more.",) if self._more else ()))


def bounded(sentences: Iterable[str]) -> tuple[str, ...]:
    """At most MAX_NOTES of the sentences, and one that says how many more there are."""
    notes = Notes()
    for sentence in sentences:
        notes.add(sentence)
    return notes.sentences


def shown_name(name: str) -> str:
    """A name in quotes, cut, with control and format characters as code points."""
    return f"'{cut(on_one_line(name[: 2 * NAME_CHARS]), NAME_CHARS)}'"


def on_one_line(text: str) -> str:
    """The text with control and format characters, tab and line feed included, shown as code points."""
    return visible(text).replace("\n", "‹U+000A›").replace("\t", "‹U+0009›")


def shown(value: Any) -> str:
    """A value as JSON writes it, cut, with control and format characters as code points."""
    if isinstance(value, str):
        value = value[: 2 * VALUE_CHARS]
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        text = "a deeply nested value"
    return cut(visible(text[: 2 * VALUE_CHARS]), VALUE_CHARS)


def cut(text: str, most: int) -> str:
    """The text with at most this many characters; an ellipsis stands for the rest."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
