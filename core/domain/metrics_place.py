"""Finds what was perhaps meant to be `metrics.json` and lies elsewhere or has another name, and says so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.domain.report_notes import cut, on_one_line

METRICS = "metrics.json"
NOT_PLAIN = "it is not a plain file but a link, a folder or the like; write the numbers into a file of this name itself"
MOST_NAMED = 3
PATH_CHARS = 200
LINE_CHARS = 1000
"""How much of a line of a program is looked at."""
_NAMED = re.compile(
    r"""(?:\b(?:open|Path|to_json|save|dump)\(\s{0,20}[rRfFbBuU]{0,2}["'](?:\./)?"""
    r"""|["'](?:\.{1,2}/|/job/|/tmp/|[A-Za-z_][\w-]{0,40}/)[\w./-]{0,80})metrics\.json["']"""
)
_LIKE = re.compile(r"(metrics?|results?|scores?)(\.\w{1,8}){0,2}")


@dataclass(kw_only=True, slots=True)
class Candidates:
    """Looks at the files of an output directory one by one; keeps the MOST_NAMED likeliest."""

    _best: list[tuple[int, int, str]] = field(default_factory=list)

    def see(self, path: str) -> None:
        """Takes the file into account; `path` is relative to the output directory, with '/' between folders."""
        name = path.rpartition("/")[2].strip().casefold()
        if path == METRICS or not _LIKE.fullmatch(name):
            return
        self._best = sorted([*self._best, (int(name != METRICS), path.count("/"), on_one_line(path))])[:MOST_NAMED]

    @property
    def found(self) -> tuple[str, ...]:
        """Safe to show and to store, the likeliest first: of the right name, then nearer to the top."""
        return tuple(path for _other_name, _depth, path in self._best)


def named_line(program: str) -> int | None:
    """The first line of a Python program, counted from 1, that names a metrics.json in another folder than --output.

    It is a look at text: a path that is put together is not seen. Lines that are comments do not count.
    """
    for number, line in enumerate(program.split("\n"), start=1):
        if _NAMED.search(line[:LINE_CHARS]) and not line.lstrip().startswith("#"):
            return number
    return None


def elsewhere(paths: Sequence[str], program_line: str = "") -> str:
    """What to do about the first of these `Candidates.found`; what to write, if there is none.

    `program_line` says where the program names another folder, e.g. "main.py, line 12,".
    """
    if not paths and program_line:
        return (
            f"{program_line} names a metrics.json in another folder than --output, which went with the run. Write "
            "os.path.join(args.output, 'metrics.json') there."
        )
    if not paths:
        return "Write it there: os.path.join(args.output, 'metrics.json'); other folders go with the run."
    path = paths[0]
    shown = cut(path, PATH_CHARS)
    folder, _slash, name = path.rpartition("/")
    if name == METRICS:
        return f"There is {shown}: write it to --output itself."
    where = "write it to --output itself, and call it" if folder else "call it"
    return f"There is {shown}: {where} metrics.json (in small letters, with nothing after it)."
