"""Reads the labels of a benchmark: which pictures are anomalous, and where.

`labels.json` in a folder that no run sees:

    {"version": 1, "map_size": [256, 256],
     "categories": {"weave": [
       {"id": "0f3a", "size": [256, 256], "anomalous": true, "mask": "masks/0f3a.png"},
       {"id": "77c1", "size": [256, 256], "anomalous": false}]}}

Sizes are [width, height] in pixels. `map_size` may be left out. A mask has the picture's size, and its pixels are
anomalous where they are not 0. Pixels are scored in a category in which every anomalous picture has a mask.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scorer.faults import BadFile, BadLabels, Faults
from scorer.ranking import MOST_SCORES

FILE, VERSION = "labels.json", 1
MOST_PIXELS = 64 * 1024**2
"""Of one picture."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")


@dataclass(frozen=True, slots=True)
class Picture:
    """One test picture. `size` is (width, height)."""

    id: str
    size: tuple[int, int]
    is_anomalous: bool
    mask_file: Path | None

    def mask(self) -> NDArray[np.bool_]:
        """Which pixels are anomalous (height, width). Raises BadFile."""
        if self.mask_file is None:
            return np.zeros(self.size[::-1], dtype=np.bool_)
        try:
            with Image.open(self.mask_file) as opened:
                size = opened.size
                pixels = np.asarray(opened) if size == self.size else None
        except Exception as error:  # Pillow raises many kinds for damaged files
            raise BadFile("a mask cannot be read as a picture") from error
        if pixels is None:
            raise BadFile(f"a mask is of {_size(size)} pixels and its picture of {_size(self.size)}")
        found: NDArray[np.bool_] = (pixels if pixels.ndim == 2 else pixels.max(axis=2)) != 0  # noqa: PLR2004 grey
        if not found.any():
            raise BadFile("the mask of an anomalous picture is empty")
        return found


@dataclass(frozen=True, slots=True)
class Category:
    """The test pictures of one category. At least one is anomalous and one is normal."""

    name: str
    pictures: tuple[Picture, ...]

    @property
    def has_masks(self) -> bool:
        """Whether pixels are scored."""
        return all(picture.mask_file for picture in self.pictures if picture.is_anomalous)

    @property
    def pixels(self) -> int:
        return sum(width * height for width, height in (picture.size for picture in self.pictures))


@dataclass(frozen=True, slots=True)
class Labels:
    """All categories, and the size of maps that the benchmark allows besides the picture's own."""

    categories: tuple[Category, ...]
    map_size: tuple[int, int] | None


def read_labels(folder: Path) -> Labels:
    """Reads and checks `labels.json`. Raises BadLabels with everything that is wrong; masks are read later."""
    try:
        told = json.loads((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadLabels(f"{FILE} cannot be read as JSON: {error}") from error
    if not isinstance(told, dict) or told.get("version") != VERSION or not isinstance(told.get("categories"), dict):
        raise BadLabels(f'{FILE} needs "version": {VERSION} and "categories"')
    faults = Faults()
    categories = [_category(folder, name, rows, faults) for name, rows in told["categories"].items()]
    map_size = _read_size(told["map_size"]) if "map_size" in told else None
    if "map_size" in told and map_size is None:
        faults.add('"map_size" is no [width, height]')
    ids = [picture.id for category in categories for picture in category.pictures]
    for twice in (one for one, count in Counter(ids).items() if count > 1):
        faults.add("an id is there twice", twice)
    if not categories:
        faults.add("there is no category")
    faults.raise_as(BadLabels)
    return Labels(tuple(categories), map_size)


def _category(folder: Path, name: str, rows: Any, faults: Faults) -> Category:
    read = [_picture(folder, row, faults) for row in (rows if isinstance(rows, list) else [])]
    category = Category(name, tuple(picture for picture in read if picture is not None))
    kinds = {picture.is_anomalous for picture in category.pictures}
    if kinds != {True, False}:
        faults.add("a category needs at least one anomalous and one normal picture", name)
    if category.pixels > MOST_SCORES:
        faults.add(f"a category has more than {MOST_SCORES:,} pixels", name)
    masked = [picture for picture in category.pictures if picture.is_anomalous and picture.mask_file]
    if masked and not category.has_masks:
        faults.add("some anomalous pictures of a category have a mask and others have none", name)
    return category


def _picture(folder: Path, row: Any, faults: Faults) -> Picture | None:
    told = row if isinstance(row, dict) else {}
    found, size, anomalous, mask = (told.get(key) for key in ("id", "size", "anomalous", "mask"))
    read_size = _read_size(size)
    if not isinstance(found, str) or not _ID.fullmatch(found) or read_size is None or not isinstance(anomalous, bool):
        faults.add('a picture needs "id" (letters, digits, . _ -), "size" [width, height] and "anomalous"', str(found))
        return None
    if mask is not None and not (anomalous and isinstance(mask, str) and _is_below(folder, mask)):
        faults.add("only anomalous pictures have a mask, and it is a path below the folder of labels", found)
        return None
    return Picture(found, read_size, anomalous, folder / mask if mask else None)


def _is_below(folder: Path, mask: str) -> bool:
    return "\0" not in mask and (folder / mask).resolve().is_relative_to(folder.resolve())


def _read_size(told: Any) -> tuple[int, int] | None:
    if not isinstance(told, list) or len(told) != 2 or not all(type(side) is int and side > 0 for side in told):  # noqa: PLR2004
        return None
    width, height = told
    return (width, height) if width * height <= MOST_PIXELS else None


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"
