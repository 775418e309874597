"""The rules for one category's files: what a submission that uses anomalib's MVTecAD reader needs to find."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from core.adapters.files.benchmark_layout import GOOD, MASKS, SPLITS, TEST, TRAIN, Category

Fault = tuple[str, str]
"""A path below the category, and what is wrong there."""


def category_faults(category: Category, folder: Path) -> Iterator[Fault]:
    """What is missing or in excess, before any picture is read."""
    yield from category.faults
    yield from _folder_faults(category, folder)
    for label in sorted(set(category.pictures[TRAIN]) - {GOOD}):
        yield f"{TRAIN}/{label}", f"holds pictures to train on besides {TRAIN}/{GOOD}; move them, they end the reader"
    for label in sorted(set(category.pictures[MASKS]) - set(category.defects)):
        yield f"{MASKS}/{label}", f"has masks, and {TEST}/{label} has no defect pictures; remove one or add the other"
    for label in category.defects:
        yield from _mask_faults(category, label)
    yield from _pairing_faults(category)


def mask_of(category: Category, label: str, picture: str) -> str | None:
    """The name of a defect picture's mask; None if there is none."""
    stem = PurePosixPath(picture).stem
    names = category.of(MASKS, label)
    return next((name for name in names if PurePosixPath(name).stem in {f"{stem}_mask", stem}), None)


def _folder_faults(category: Category, folder: Path) -> Iterator[Fault]:
    needed = {
        f"{TRAIN}/{GOOD}": (category.of(TRAIN, GOOD), "flawless pictures to train on"),
        f"{TEST}/{GOOD}": (
            category.of(TEST, GOOD),
            "flawless pictures to test on; no AUROC without them",
        ),
        f"{TEST}/<defect>": (category.defects, "pictures with defects, in a folder for each kind"),
    }
    for place, (found, what) in needed.items():
        if not found:
            yield place.removesuffix("/<defect>"), f"has no pictures: put there {what}{_hint(folder, place)}"


def _hint(folder: Path, place: str) -> str:
    """A folder that was perhaps meant, where the one that is needed is not there."""
    needed = place.partition("/")[0]
    names = [entry.name for entry in folder.iterdir() if entry.is_dir()]
    if needed in names:
        return ""
    likely = {name.casefold(): name for name in names if name not in SPLITS}
    meant = difflib.get_close_matches(needed, likely, n=1)
    return f". There is a folder {likely[meant[0]]!r}: rename it to {needed!r}" if meant else ""


def _mask_faults(category: Category, label: str) -> Iterator[Fault]:
    pictures, masks = category.of(TEST, label), category.of(MASKS, label)
    if not masks:
        yield (
            f"{MASKS}/{label}",
            (
                f"has no masks: each of the {len(pictures)} pictures in {TEST}/{label} needs one, such as "
                f"{PurePosixPath(pictures[0]).stem}_mask.png (0 and 255, as large as the picture)"
            ),
        )
        return
    used = {picture: mask_of(category, label, picture) for picture in pictures}
    for picture, mask in used.items():
        if mask is None:
            yield (
                f"{TEST}/{label}/{picture}",
                f"has no mask: add {MASKS}/{label}/{PurePosixPath(picture).stem}_mask.png",
            )
    for mask in sorted(set(masks) - set(used.values())):
        yield f"{MASKS}/{label}/{mask}", f"belongs to no picture in {TEST}/{label}; rename or remove it"


def _pairing_faults(category: Category) -> Iterator[Fault]:
    """The reader sorts pictures and masks by name and pairs them in that order, whatever their numbers say."""
    pictures = sorted(f"{label}/{name}" for label in category.defects for name in category.of(TEST, label))
    masks = sorted(f"{label}/{name}" for label in category.defects for name in category.of(MASKS, label))
    for picture, mask in zip(pictures, masks, strict=False):
        label, _slash, name = picture.partition("/")
        own = mask_of(category, label, name)
        if len(pictures) == len(masks) and own is not None and mask != f"{label}/{own}":
            yield (
                f"{TEST}/{picture}",
                (
                    f"would get the mask {mask!r}: anomalib pairs them by the alphabet. Give all numbers the "
                    "same count of digits, e.g. 001.png with 001_mask.png"
                ),
            )
            return
