"""Rules for the data of a verified benchmark: the pictures of a category lie where runs expect them, and tell nothing.

    ids.json                     {"weave": ["00000", "00001"]}
    weave/train/good/n00000.png
    weave/test/00000.png         neutral names; no folder of defects, no masks

The labels lie elsewhere, where no run sees them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.adapters.files.benchmark_layout import GOOD, MASKS, PICTURES, TEST, TRAIN, entries_below
from core.adapters.files.benchmark_pictures import Unreadable, bounded_bytes

IDS = "ids.json"
MAKE_IT = "scripts/benchmark prepare makes such a folder of yours"
SHOWS_LABELS = f"shows runs which pictures are anomalous: the labels belong where no run sees them; {MAKE_IT}"
Fault = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedCategory:
    """Pictures of one category, by their paths below it."""

    train: list[str] = field(default_factory=list)
    test: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def ids(self) -> set[str]:
        return {PurePosixPath(path).stem for path in self.test}


def listed_verified(folder: Path, count: Callable[[], None]) -> VerifiedCategory:
    """The category in this folder; `count` is called for each entry and may raise Enough."""
    found = VerifiedCategory()
    for path, is_plain in entries_below(folder, "", count):
        parts = PurePosixPath(path).parts
        if not is_plain:
            rule = "is a link or no plain file; the sandbox does not follow it: put the file itself there"
            found.faults.append((path, rule))
        elif PurePosixPath(path).suffix == ".png" and parts[:-1] == (TRAIN, GOOD):
            found.train.append(path)
        elif PurePosixPath(path).suffix == ".png" and parts[:-1] == (TEST,):
            found.test.append(path)
        elif parts[0] == MASKS or (parts[0] == TEST and len(parts) > len((TEST, "name"))):
            found.faults.append((path, SHOWS_LABELS))
        elif PurePosixPath(path).suffix.lower() in PICTURES:
            found.faults.append((path, f"is in no place for pictures: {TRAIN}/{GOOD}/*.png and {TEST}/*.png are"))
    for place, paths in ((f"{TRAIN}/{GOOD}", found.train), (TEST, found.test)):
        if not paths:
            found.faults.append((place, f"has no pictures; {MAKE_IT}"))
    return found


def ids_faults(root: Path, found: Mapping[str, VerifiedCategory]) -> Iterator[Fault]:
    """Where ids.json differs from the pictures to test on."""
    try:
        told = json.loads(bounded_bytes(root / IDS))
    except Unreadable as error:
        yield IDS, f"{error}; {MAKE_IT}"
        return
    except (ValueError, RecursionError):
        yield IDS, f"is no JSON; {MAKE_IT}"
        return
    if not _is_ids(told):
        yield IDS, 'must be {"category": ["id", …]}'
        return
    if set(told) != set(found):
        yield IDS, f"must have the categories of benchmark.yaml: {', '.join(found)}"
    for name, category in found.items():
        ids = told.get(name, [])
        if len(set(ids)) < len(ids):
            yield IDS, f"names an id of {name} twice"
        if different := sorted(set(ids) ^ category.ids):
            yield IDS, f"differs from the pictures in {name}/{TEST}, e.g. in {different[0]}"


def _is_ids(told: object) -> bool:
    return isinstance(told, dict) and all(
        isinstance(ids, Sequence) and not isinstance(ids, str) and all(isinstance(one, str) for one in ids)
        for ids in told.values()
    )
