"""Where results come from, as lines of text."""

import json

from client.api.provenance import Provenance
from client.cli.terminal import faint, one_line, strong

LONGEST = 200
"""Characters of a value; `--json` has all of it."""


def provenance_lines(found: Provenance) -> list[str]:
    """What is known, a line for each part, then what is missing and why."""
    lines = [_pair(words, value) for words, value in found.parts]
    if found.overrides:
        lines.append(_pair("overrides", json.dumps(found.overrides, ensure_ascii=False)))
    for words, values in (*found.groups, ("config", found.config)):
        if values:
            lines += ["", strong(words), *(f"  {_pair(name, value)}" for name, value in sorted(values.items()))]
    if gaps := [f"  {one_line(words)}: {one_line(why)}" for words, why in found.gaps]:
        lines += ["", strong("not known"), *gaps]
    return lines


def _pair(name: str, value: str) -> str:
    shown = one_line(value)
    short = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
    return f"{faint(one_line(name).ljust(23))} {short}"
