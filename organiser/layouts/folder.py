"""Reads plain folders as anomalib's `Folder` does: normal pictures, anomalous ones, and masks if there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from organiser.listing import paired, pictures_in
from organiser.samples import Refused, Sample, Source
from scorer.faults import Faults

USUAL_NORMAL = ("normal", "good")
USUAL_ANOMALOUS = ("abnormal", "anomalous", "anomaly", "defect", "bad")
USUAL_NORMAL_TEST = ("normal_test", "good_test")
USUAL_MASKS = ("masks", "mask", "ground_truth")
TEST_SHARE = 0.2
"""As anomalib's `test_split_ratio`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderNames:
    """Folders below the source, named as anomalib's `Folder` names them. What is left out is guessed."""

    normal: str = ""
    abnormal: Sequence[str] = ()
    normal_test: str = ""
    masks: Sequence[str] = ()
    """One for each of `abnormal`, in the same order."""


def read_folder(root: Path, category: str, names: FolderNames, random: Random, faults: Faults) -> list[Source]:
    """One category. Without a folder of normal test pictures a fifth of the normal ones is drawn. Raises Refused."""
    normal = _folder(root, names.normal, USUAL_NORMAL, "--normal")
    abnormal = [_below(root, name) for name in names.abnormal] or [
        _folder(root, "", USUAL_ANOMALOUS, "--abnormal"),
    ]
    masks = [_below(root, name) for name in names.masks] or _guessed(root, USUAL_MASKS)
    if masks and len(masks) != len(abnormal):
        raise Refused("there must be one --masks for each --abnormal, in the same order")
    test: list[Sample] = []
    for place, folder in enumerate(abnormal):
        pictures = pictures_in(folder, faults)
        masked = paired(pictures, pictures_in(masks[place], faults), faults) if masks else {}
        test += [Sample(path=path, is_anomalous=True, mask=masked.get(path)) for path in pictures]
    train = pictures_in(normal, faults)
    apart = [_below(root, names.normal_test)] if names.normal_test else _guessed(root, USUAL_NORMAL_TEST)
    held = pictures_in(apart[0], faults) if apart else random.sample(train, round(len(train) * TEST_SHARE))
    test += [Sample(path=path, is_anomalous=False) for path in held]
    return [Source(name=category, train=[path for path in train if path not in set(held)], test=test)]


def _folder(root: Path, name: str, usual: Sequence[str], option: str) -> Path:
    if name:
        return _below(root, name)
    if found := _guessed(root, usual):
        return found[0]
    there = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir())) or "none"
    raise Refused(f"none of the folders {', '.join(usual)} is there; name yours with {option}. There are: {there}")


def _guessed(root: Path, usual: Sequence[str]) -> list[Path]:
    return [root / name for name in usual if (root / name).is_dir()][:1]


def _below(root: Path, name: str) -> Path:
    found = root / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not found.is_dir():
        raise Refused(f"there is no folder {name} in {root}")
    return found
