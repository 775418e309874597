"""Which files of a benchmark a trial gets: a few of each kind, in the places that they have in the whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

MOST_CATEGORIES = 2
TRAIN, MASKS, GOOD = "train", "ground_truth", "good"
MOST_OF = {TRAIN: 16, GOOD: 4}
"""Files of a folder below one of this name."""
MOST_OF_OTHERS = 2
GENEROSITIES = (1.0, 0.5, 0.25, 0.125)
"""Where pictures are large, each next share of these numbers is tried; at least one file of a folder stays."""


def tried_categories(categories: Sequence[str]) -> tuple[str, ...]:
    """The categories of a trial: the first ones."""
    return tuple(categories[:MOST_CATEGORIES])


def few_of(paths: Iterable[str], share: float = 1.0) -> list[str]:
    """The first files of each folder by name, and of masks those of the chosen pictures; sorted."""
    folders: dict[PurePosixPath, list[str]] = defaultdict(list)
    for path in paths:
        folders[PurePosixPath(path).parent].append(path)
    chosen = [
        path
        for folder, found in folders.items()
        if MASKS not in folder.parts
        for path in sorted(found)[: _most(folder, share)]
    ]
    pictures = {_place(path) for path in chosen}
    masks = [path for folder, found in folders.items() if MASKS in folder.parts for path in found]
    return sorted(chosen + [path for path in masks if _place(path) in pictures])


def _most(folder: PurePosixPath, share: float) -> int:
    most = next((most for name, most in MOST_OF.items() if name in folder.parts), MOST_OF_OTHERS)
    return max(1, int(most * share))


def _place(path: str) -> tuple[str, str, str]:
    """Category, label and number of a picture: the same for a mask, which is named `<picture>_mask` or alike."""
    parts = PurePosixPath(path)
    above = parts.parts[:-1]
    category = "/".join(above[:-2])
    return category, above[-1] if above else "", parts.stem.removesuffix("_mask")
