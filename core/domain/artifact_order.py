"""The order of a run's files in lists, and which of them a cut list holds: curves, maps and logs first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from pathlib import PurePosixPath


class Kind(IntEnum):
    """What a file is, as far as its name tells; lists have them in this order."""

    CURVE = 0
    """A picture that is named like a curve, and not one of a series."""
    LARGE = 1
    """Any other picture at the top level that is one of few."""
    MAP = 2
    """Any other picture, such as the anomaly map of one test picture."""
    LOG = 3
    OTHER = 4


SHARES = {Kind.CURVE: 0.2, Kind.LARGE: 0.2, Kind.MAP: 0.2, Kind.LOG: 0.2, Kind.OTHER: 0.2}
"""Of a cut list: how much of it each kind has for itself. What one kind does not need goes to the others, in order."""
FEW = 10
"""More pictures whose names differ in digits alone are a series."""
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".bmp", ".tif", ".tiff"})
LOGS = frozenset({".log", ".out", ".err"})
_DIGITS = re.compile(r"\d+")
_CURVE = re.compile(
    r"(?<![a-z])(?:curves?|plots?|figures?|charts?|roc|prc?|aupro|auroc|auc|f1|loss|hist|histograms?|confusion|thresholds?)"
    r"(?![a-z])"
)


def ordered(paths: Iterable[str]) -> list[str]:
    """All paths, by kind and then by name."""
    kinds = _kinds(paths)
    return sorted(kinds, key=lambda path: (kinds[path], path))


def chosen(paths: Iterable[str], most: int) -> list[str]:
    """At most `most` of the paths, in the order of `ordered`: of each kind the first ones, by SHARES."""
    kinds = _kinds(paths)
    room = _room(Counter(kinds.values()), most)
    found = {kind: sorted(path for path in kinds if kinds[path] is kind)[: room[kind]] for kind in Kind}
    return [path for kind in Kind for path in found[kind]]


def _room(counts: Counter[Kind], most: int) -> dict[Kind, int]:
    """How many files of each kind a list of `most` holds."""
    room = {kind: min(counts[kind], int(most * SHARES[kind])) for kind in Kind}
    for kind in Kind:
        room[kind] += min(counts[kind] - room[kind], most - sum(room.values()))
    return room


def _kinds(paths: Iterable[str]) -> dict[str, Kind]:
    series = {path: _DIGITS.sub("#", path) for path in paths}
    alike = Counter(series.values())
    return {path: _kind(path, alike=alike[one]) for path, one in series.items()}


def _kind(path: str, *, alike: int) -> Kind:
    name = PurePosixPath(path.lower())
    if name.suffix in PICTURES:
        if alike > FEW:
            return Kind.MAP
        if _CURVE.search(str(name)):
            return Kind.CURVE
        return Kind.MAP if "/" in path else Kind.LARGE
    return Kind.LOG if name.suffix in LOGS or name.parts[0] == "logs" else Kind.OTHER
