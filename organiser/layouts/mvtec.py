"""Reads MVTec AD's layout: one category, or a folder of them.

<category>/train/good/000.png
<category>/test/good/000.png
<category>/test/<defect>/000.png
<category>/ground_truth/<defect>/000_mask.png

Files beside these folders, such as a licence, are not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.adapters.files.benchmark_layout import GOOD, MASKS, TEST, TRAIN
from organiser.listing import folders_in, paired, pictures_in
from organiser.samples import Sample, Source
from scorer.faults import Faults


def is_mvtec(root: Path) -> bool:
    """Whether this folder looks like a category, or holds one."""
    return is_category(root) or any(is_category(folder) for folder in root.iterdir() if folder.is_dir())


def is_category(folder: Path) -> bool:
    return (folder / TRAIN / GOOD).is_dir()


def read_mvtec(root: Path, wanted: Sequence[str], faults: Faults) -> list[Source]:
    """The wanted categories; all of them if none is named. `root` may be a single category."""
    if is_category(root):
        return [_category(root, faults)]
    there = {folder.name: folder for folder in folders_in(root, faults) if (folder / TRAIN).is_dir()}
    for name in wanted:
        if name not in there:
            faults.add(f"there is no such category; there are {', '.join(there) or 'none'}", name)
    return [_category(folder, faults) for name, folder in there.items() if not wanted or name in wanted]


def _category(folder: Path, faults: Faults) -> Source:
    for split in (TRAIN, TEST, MASKS):  # a link is named once, and nothing behind it is read
        if (folder / split).is_symlink():
            faults.add("it is a link, so it may lead to anything; put the folder itself there", str(folder / split))
            return Source(name=folder.name, train=(), test=())
    for label in folders_in(folder / TRAIN, faults):
        if label.name != GOOD:
            faults.add(f"it lies beside {TRAIN}/{GOOD}, and nothing else is trained on; move it away", str(label))
    test: list[Sample] = []
    labels = folders_in(folder / TEST, faults) if (folder / TEST).is_dir() else []
    for label in labels:
        test += _samples(folder, label, faults)
    for masks in folders_in(folder / MASKS, faults) if (folder / MASKS).is_dir() else ():
        if masks.name not in {label.name for label in labels}:
            faults.add(f"there are masks, and no such folder of pictures in {TEST}", str(masks))
    return Source(name=folder.name, train=pictures_in(folder / TRAIN / GOOD, faults), test=test)


def _samples(folder: Path, label: Path, faults: Faults) -> list[Sample]:
    pictures, masks = pictures_in(label, faults), pictures_in(folder / MASKS / label.name, faults)
    if label.name == GOOD:
        for mask in masks:
            faults.add("a mask belongs to a normal picture; remove it, or move the picture to its defect", str(mask))
        return [Sample(path=path, is_anomalous=False) for path in pictures]
    masked = paired(pictures, masks, faults)
    return [Sample(path=path, is_anomalous=True, mask=masked.get(path)) for path in pictures]
