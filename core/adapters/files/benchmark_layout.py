"""Lists the files of one category of a benchmark by their places in the layout of MVTec AD, as anomalib's reader does.

That reader takes every file that ends in .png or .PNG at any depth below a category, and the last two folders as split
and label. So a picture in any other place ends a submission, and one with another suffix is not seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

SEEN = frozenset({".png", ".PNG"})
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
TRAIN, TEST, MASKS, GOOD = "train", "test", "ground_truth", "good"
SPLITS = (TRAIN, TEST, MASKS)
NOT_SEEN = (
    "is not seen by anomalib's MVTecAD reader, which takes .png alone: its runs would fail or leave it out. Save it as "
    "an 8-bit PNG, not {suffix}"
)
LEVELS = 3
MOST_LEVELS = 16


class Enough(Exception):
    """Raised when a check has used up what it may; the text says what."""


@dataclass(kw_only=True)
class Category:
    """The pictures of a category by split, label and name, also those that the reader does not see."""

    pictures: dict[str, dict[str, list[str]]] = field(default_factory=lambda: {split: {} for split in SPLITS})
    faults: list[tuple[str, str]] = field(default_factory=list)
    """A path below the category, and what is wrong with it."""

    def of(self, split: str, label: str) -> list[str]:
        return self.pictures[split].get(label, [])

    @property
    def defects(self) -> list[str]:
        return sorted(label for label in self.pictures[TEST] if label != GOOD)


def listed(folder: Path, count: Callable[[], None]) -> Category:
    """The category in this folder; `count` is called for each entry and may raise Enough."""
    found = Category()
    for path, is_plain in entries_below(folder, "", count):
        place = PurePosixPath(path)
        if not is_plain:
            found.faults.append(
                (path, "is a link or no plain file; the sandbox does not follow it: put the file itself there")
            )
        elif place.suffix.lower() in PICTURES:
            _place(found, place)
    return found


def _place(found: Category, path: PurePosixPath) -> None:
    if path.name.startswith("._"):
        found.faults.append((str(path), "is a companion of macOS, no picture; delete it"))
    elif len(path.parts) != LEVELS or path.parts[0] not in SPLITS:
        rule = (
            f"is in no place for pictures: move it to {TRAIN}/{GOOD}, {TEST}/<defect> or {MASKS}/<defect>, not deeper"
        )
        found.faults.append((str(path), rule))
    else:
        split, label, name = path.parts
        found.pictures[split].setdefault(label, []).append(name)
        if path.suffix not in SEEN:
            found.faults.append((str(path), NOT_SEEN.format(suffix=path.suffix)))


def entries_below(folder: Path, below: str, count: Callable[[], None]) -> Iterator[tuple[str, bool]]:
    """Every file below the folder, by name, with whether it is a plain one; links are not followed."""
    with os.scandir(folder / below) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        count()
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir(follow_symlinks=False) and path.count("/") < MOST_LEVELS:
            yield from entries_below(folder, path, count)
        elif not entry.is_dir(follow_symlinks=False):
            yield path, entry.is_file(follow_symlinks=False)
