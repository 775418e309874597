"""Finds what a run predicted: image scores, anomaly maps, or both.

    predictions/scores.json        {"0f3a": 0.93, "77c1": 0.02}
    predictions/maps/0f3a.tiff     one map per id; .tif and .npy, too

Maps are also read where MVTec AD 2 has them: `anomaly_images/<category>/<folder>/<id>.tiff`. A higher score is more
anomalous. What is not there for exactly the listed ids is refused.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scorer.faults import BadPredictions, Faults
from scorer.labels import Category, Labels
from scorer.map_files import SUFFIXES

SCORES, MAPS, AD2_MAPS = "scores.json", "maps", "anomaly_images"
MOST_BYTES_PER_SCORE = 200
MORE_FILES = 1000
"""Superfluous files that are listed before the search ends."""
NOTHING = f"there are no predictions: write {SCORES}, or a map for each picture into {MAPS}/"


@dataclass(frozen=True, slots=True)
class Predictions:
    """Either is None if the run wrote none of it."""

    scores: dict[str, float] | None
    maps: dict[str, Path] | None


def find_predictions(folder: Path, labels: Labels) -> Predictions:
    """Reads the scores and finds the maps, which are read later. Raises BadPredictions with everything wrong."""
    faults = Faults()
    wanted = {picture.id: category for category in labels.categories for picture in category.pictures}
    scores = _scores(folder / SCORES, set(wanted), faults)
    maps = _maps(folder, wanted, faults)
    if scores is None and maps is None and not faults.found:
        faults.add(NOTHING)
    faults.raise_as(BadPredictions)
    return Predictions(scores, maps)


def _scores(path: Path, wanted: set[str], faults: Faults) -> dict[str, float] | None:
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES_PER_SCORE * (len(wanted) + 10):
        faults.add(f"it is no plain file, or too large: at most {MOST_BYTES_PER_SCORE} bytes per picture", SCORES)
        return None
    try:
        pairs = json.loads(path.read_bytes(), object_pairs_hook=list, parse_int=float)
    except (ValueError, RecursionError):
        faults.add("it is not JSON", SCORES)
        return None
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        faults.add('it must be one object: {"id": score}', SCORES)
        return None
    for name, score in pairs:
        if not isinstance(score, float) or not math.isfinite(score):
            faults.add("a score is no finite number", name)
    _compare([name for name, _score in pairs], wanted, f"in {SCORES}", faults)
    return dict(pairs)


def _maps(folder: Path, wanted: dict[str, Category], faults: Faults) -> dict[str, Path] | None:
    found: list[tuple[str, Path]] = []
    for path in islice(_files(folder), len(wanted) + MORE_FILES):
        if _is_map(path.relative_to(folder).parts, wanted):
            found.append((path.stem, path))
        else:
            faults.add("a file belongs to no picture", str(path.relative_to(folder)))
    if not found:
        return None
    _compare([name for name, _path in found], set(wanted), "with a map", faults)
    return dict(found)


def _files(folder: Path) -> Iterator[Path]:
    """Everything in the folders of maps that is no folder; links are not followed, and count as files."""
    for root in (folder / MAPS, folder / AD2_MAPS):
        if root.is_symlink():
            yield root
            continue
        for place, folders, files in os.walk(root):
            links = [name for name in folders if (Path(place) / name).is_symlink()]
            yield from (Path(place) / name for name in (*files, *links))


def _is_map(parts: tuple[str, ...], wanted: dict[str, Category]) -> bool:
    """Whether a file with this path below the predictions is where the map of a picture may be."""
    name = Path(parts[-1])
    if name.suffix not in SUFFIXES or name.stem not in wanted:
        return False
    return parts[:-1] == (MAPS,) or (
        len(parts) == 4 and parts[0] == AD2_MAPS and parts[1] == wanted[name.stem].name  # noqa: PLR2004 as documented
    )


def _compare(names: list[str], wanted: set[str], where: str, faults: Faults) -> None:
    """Exactly the wanted ids, each once."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            faults.add(f"an id is there twice {where}", name)
        elif name not in wanted:
            faults.add(f"an id {where} is none of the benchmark's", name)
        seen.add(name)
    for name in sorted(wanted - seen):
        faults.add(f"an id is missing {where}", name)
