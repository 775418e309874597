"""Collects what is wrong with predictions or labels, so that all of it can be told at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

MOST_SHOWN = 5
"""Of each kind of fault."""
MOST_NAME = 120


class BadPredictions(Exception):
    """The predictions cannot be scored. Its text is for the submitter: one line per kind of fault."""


class BadLabels(Exception):
    """The labels of the benchmark are wrong. Its text is for the organiser."""


class BadFile(Exception):
    """One file cannot be read as what it should be. Its text is one sentence without the file's name."""


@dataclass(slots=True)
class Faults:
    """Groups faults by sentence; each names the first MOST_SHOWN files, and how many more there are."""

    found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, sentence: str, name: str = "") -> None:
        self.found.setdefault(sentence, []).append(shown(name))

    @contextmanager
    def of_file(self, name: str) -> Iterator[None]:
        """Turns a BadFile that is raised inside into a fault of that file."""
        try:
            yield
        except BadFile as error:
            self.add(str(error), name)

    def raise_as(self, error: type[Exception]) -> None:
        """Raises that error with all sentences, if there is any."""
        if self.found:
            raise error("\n".join(_line(sentence, names) for sentence, names in self.found.items()))


def _line(sentence: str, names: list[str]) -> str:
    named = [name for name in names if name]
    if not named:
        return sentence
    more = f" and {len(named) - MOST_SHOWN:,} more" if len(named) > MOST_SHOWN else ""
    return f"{sentence}: {', '.join(named[:MOST_SHOWN])}{more}"


def shown(name: str) -> str:
    """The name of a file as text that is safe in a log: what does not print is escaped, and a long name is cut."""
    escaped = name.encode("unicode_escape").decode() if not name.isprintable() else name
    return escaped if len(escaped) <= MOST_NAME else f"{escaped[: MOST_NAME - 1]}…"
