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


def elsewhere(paths: Sequence[str]) -> str:
    """What to do about the first of these `Candidates.found`; what to write, if there is none."""
    if not paths:
        return "Write it there: os.path.join(args.output, 'metrics.json'); other folders go with the run."
    path = paths[0]
    shown = cut(path, PATH_CHARS)
    folder, _slash, name = path.rpartition("/")
    if name == METRICS:
        return f"There is {shown}: write it to --output itself."
    where = "write it to --output itself, and call it" if folder else "call it"
    return f"There is {shown}: {where} metrics.json (in small letters, with nothing after it)."
