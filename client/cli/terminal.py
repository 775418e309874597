"""Prints to a terminal: foreign text is made safe, colours are used only if they can be seen."""

import codecs
import io
import os
import re
import sys
from collections.abc import Iterable, Sequence

import typer

from client.visible_text import visible

STATE_COLOURS = {"completed": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "pending": "blue"}
# Matches whole escape sequences (window titles, colours, cursor moves), so that no half of one stays as text.
ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]", re.DOTALL
)


def harmless(text: str) -> str:
    """The text without escape sequences; other control and format characters, except tab and newline, as numbers."""
    return visible(ESCAPES.sub("", text))


def one_line(text: object) -> str:
    """Foreign text as a single safe line."""
    return " ".join(harmless(str(text).replace("\r\n", "\n")).split())


def say(text: str = "", *, error: bool = False) -> None:
    """Print a line and flush it; colours only on a terminal."""
    typer.echo(text, err=error, color=_wants_colour(error=error))
    (sys.stderr if error else sys.stdout).flush()


def print_file(pieces: Iterable[bytes]) -> None:
    """Print a text file as it arrives, without a byte order mark; its lines end as the terminal's do."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8-sig")("replace"), translate=True)
    for piece in pieces:
        typer.echo(harmless(decoder.decode(piece)), nl=False)


def state_word(state: str) -> str:
    """A state's name in its colour."""
    return typer.style(state, fg=STATE_COLOURS.get(state), bold=True)


def faint(text: str) -> str:
    """Dimmed text."""
    return typer.style(text, dim=True)


def strong(text: str) -> str:
    """Bold text."""
    return typer.style(text, bold=True)


def log_line(text: str, *, platform: bool) -> str:
    """A log line with its margin: `>` and a colour for lines of the platform, blank for lines of a program."""
    return typer.style(f"> {text}", fg="cyan", bold=True) if platform else f"  {text}"


def name_line(name: object) -> str:
    """A file's name as a single safe line, with all its blanks, so that it can be typed again."""
    return harmless(str(name)).replace("\t", "‹U+0009›").replace("\n", "‹U+000A›")


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: frozenset[int] = frozenset(),
    exact: frozenset[int] = frozenset(),
) -> list[str]:
    """Aligned lines below their heads; columns in `right` are right-aligned, those in `exact` hold names."""
    safe = [[name_line(cell) if at in exact else one_line(cell) for at, cell in enumerate(row)] for row in rows]
    cells = [list(heads), *safe]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    lines = ["  ".join(_fit(cell, widths[at], at in right) for at, cell in enumerate(row)).rstrip() for row in cells]
    return [faint(lines[0]), *lines[1:]]


def _fit(cell: str, width: int, flush_right: bool) -> str:
    return cell.rjust(width) if flush_right else cell.ljust(width)


def _wants_colour(*, error: bool) -> bool:
    stream = sys.stderr if error else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR")
