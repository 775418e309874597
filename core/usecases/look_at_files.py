"""Looks at the files of an upload before it is stored: does Python read its program, what does it require (FLD-2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.domain.errors import Fault
from core.domain.submission import REQUIREMENTS, Findings, Start, shown
from core.domain.user_text import SAVE_AS_UTF8, NotText, decoded, is_utf16
from core.usecases.requirements_check import RequirementsCheck
from core.usecases.weights_check import WeightsCheck

MOST_BYTES = 4 * 1024 * 1024
"""A larger file is not looked at."""
ALMOST_REQUIREMENTS = (REQUIREMENTS, "requirement.txt", "requirements.txt.txt", "requirments.txt")
NOTHING: Mapping[str, Any] = MappingProxyType({})
NAMED_ENCODING = re.compile(rb"^[ \t\f]*#.*?coding[:=]", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class LookAtFiles:
    """Checks encodings, requirements.txt and the weights that are asked for; nothing of a file is run."""

    requirements: RequirementsCheck
    weights: WeightsCheck | None = None

    def __call__(self, folder: Path, start: Start, metadata: Mapping[str, Any] = NOTHING) -> Findings:
        found, weights = self.requirements.at_upload(folder), self._weights(folder, start, metadata)
        return Findings(
            faults=(*_program_faults(folder, start.entrypoint), *found.faults, *weights.faults),
            notes=(*_config_notes(folder, start.config_file), *_misnamed(folder), *found.notes, *weights.notes),
        )

    def _weights(self, folder: Path, start: Start, metadata: Mapping[str, Any]) -> Findings:
        if self.weights is None:
            return Findings()
        config = start.config_file, _content(folder / start.config_file)
        return self.weights.at_upload(folder, config, metadata)


def _program_faults(folder: Path, name: str) -> list[Fault]:
    """A fault if Python would not read the program: UTF-16, or no UTF-8 and no encoding named in the first lines."""
    raw = _content(folder / name)
    if is_utf16(raw):
        return [Fault(field="entrypoint", rule=f"{shown(name)} is UTF-16, which Python does not read; {SAVE_AS_UTF8}")]
    try:
        decoded(raw)
    except NotText as error:
        if not NAMED_ENCODING.search(b"\n".join(raw.split(b"\n", 2)[:2])):
            return [Fault(field="entrypoint", rule=f"{shown(name)} {error}")]
    return []


def _config_notes(folder: Path, name: str) -> list[str]:
    """A word about a config file that most programs would fail to read; the program alone decides."""
    raw = _content(folder / name)
    if is_utf16(raw):
        return [f"{shown(name)} is UTF-16, which most programs do not read: {SAVE_AS_UTF8}."]
    try:
        decoded(raw)
    except NotText as error:
        return [f"{shown(name)} {error}, unless your program expects it so."]
    return []


def _misnamed(folder: Path) -> list[str]:
    """A word about a list of packages under another name, which nothing reads."""
    names = {path.name for path in folder.iterdir()}
    others = sorted(name for name in names if name.lower() in ALMOST_REQUIREMENTS) if REQUIREMENTS not in names else []
    return [
        f"{shown(name)} is not read; a list of packages is called {REQUIREMENTS}, in small letters." for name in others
    ]


def _content(path: Path) -> bytes:
    """The file's bytes; empty if it is missing, or larger than MOST_BYTES."""
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        return b""
    return path.read_bytes()
