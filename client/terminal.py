"""What reaches a terminal: foreign text made harmless, colour only where somebody sees it."""

import os
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence

import typer

STATE_COLOURS = {"completed": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "pending": "blue"}
# Whole escape sequences (window titles, colours, cursor moves), so that no half of one stays behind as text.
ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]", re.DOTALL
)


def harmless(text: str) -> str:
    """Text without escape sequences, control characters and direction overrides; tabs and line ends stay."""
    bare = ESCAPES.sub("", text)
    return "".join(sign for sign in bare if sign in "\t\n" or unicodedata.category(sign) not in {"Cc", "Cf", "Cs"})


def one_line(text: object) -> str:
    """Foreign text as a single harmless line."""
    return " ".join(harmless(str(text)).split())


def say(text: str = "", *, error: bool = False) -> None:
    """Print a line at once, without colour where nobody sees colour."""
    typer.echo(text, err=error, color=_wants_colour(error=error))
    (sys.stderr if error else sys.stdout).flush()


def state_word(state: str) -> str:
    """A state in its colour."""
    return typer.style(state, fg=STATE_COLOURS.get(state), bold=True)


def faint(text: str) -> str:
    """Text that steps back."""
    return typer.style(text, dim=True)


def strong(text: str) -> str:
    """Text that steps forward."""
    return typer.style(text, bold=True)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Aligned lines under their heads; the columns of `right` end flush."""
    cells = [list(heads), *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = ["  ".join(_fit(cell, widths[at], at in right) for at, cell in enumerate(row)).rstrip() for row in cells]
    return [faint(lines[0]), *lines[1:]]


def _fit(cell: str, width: int, flush_right: bool) -> str:
    return cell.rjust(width) if flush_right else cell.ljust(width)


def _wants_colour(*, error: bool) -> bool:
    stream = sys.stderr if error else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR")
