"""Lists the pictures of a folder, and says what lies there and is none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.adapters.files.member_names import is_companion
from organiser.samples import same_but_for_case
from scorer.faults import Faults

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})
LINK = "it is a link or no plain file, so it may lead to anything; put the file or folder itself there"


def folders_in(folder: Path, faults: Faults) -> list[Path]:
    """The folders in it by name, without hidden ones. Links are faults."""
    return [Path(entry.path) for entry in _entries(folder, faults) if entry.is_dir(follow_symlinks=False)]


def pictures_in(folder: Path, faults: Faults) -> list[Path]:
    """The pictures in it by name; none where there is no such folder. All else in it is a fault."""
    if folder.is_symlink():
        faults.add(LINK, str(folder))
    if folder.is_symlink() or not folder.is_dir():
        return []
    found = []
    for entry in _entries(folder, faults):
        path = Path(entry.path)
        if entry.is_file(follow_symlinks=False) and path.suffix.lower() in SUFFIXES:
            found.append(path)
        else:
            faults.add(f"it lies among pictures and is none ({', '.join(sorted(SUFFIXES))}); move it away", str(path))
    for twice in same_but_for_case([path.name for path in found]):
        faults.add("two names in a folder differ only in upper and lower case; rename one", str(folder / twice))
    return found


def _entries(folder: Path, faults: Faults) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    kept = []
    for entry in found:
        if entry.is_symlink() or not (entry.is_dir() or entry.is_file()):
            faults.add(LINK, entry.path)
        elif not is_companion(entry.name) and not (entry.is_dir() and entry.name.startswith(".")):
            kept.append(entry)
    return kept


def paired(pictures: Sequence[Path], masks: Sequence[Path], faults: Faults) -> Mapping[Path, Path]:
    """The mask of each picture that has one: `000_mask.png` or `000.png` for `000.png`. Others are faults."""
    for name, files in (("pictures", pictures), ("masks", masks)):
        for twice in same_but_for_case([path.stem.removesuffix("_mask") for path in files]) if masks else ():
            faults.add(f"two {name} of a folder have one name, so it is not clear which mask is whose", twice)
    by_stem = {mask.stem.removesuffix("_mask"): mask for mask in masks}
    found = {picture: by_stem[picture.stem] for picture in pictures if picture.stem in by_stem}
    used = set(found.values())
    for mask in masks:
        if mask not in used:
            faults.add("a mask belongs to no picture; its name must be the picture's, or that and _mask", str(mask))
    return found
