"""A look at a benchmark's folder: every fault of its data, with its path and what to do (FLD-9, field case 56)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.adapters.files import benchmark_pictures
from core.adapters.files.benchmark_check import Budget, check_folder
from core.domain.benchmark_check import Condition
from tests.benchmark_sets import Files, encoded, good_set, mask, remade, surface, write_set

pytestmark = pytest.mark.unit

GOOD = good_set()
TURNED = Image.Exif()
TURNED[0x0112] = 6


def faults(root: Path, files: Files, **settings: object) -> dict[str, list[str]]:
    """The rules that are broken, by path."""
    found: dict[str, list[str]] = {}
    for one in check_folder(write_set(root, files, **settings)).findings:
        found.setdefault(one.path, []).append(f"{'note: ' * one.is_note}{one.rule}")
    return found


def test_a_good_set_has_no_fault(tmp_path: Path) -> None:
    check = check_folder(write_set(tmp_path, GOOD))
    assert (check.condition, check.findings, check.pictures, check.unseen) == (Condition.GOOD, [], 12, "")


def as_16_bits(image: Image.Image) -> bytes:
    return encoded(Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257))


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("/train/", as_16_bits, "has 16 bits per channel"),
        ("/ground_truth/", as_16_bits, "Image.fromarray((np.asarray(image) / 257).astype('uint8'))"),
        ("/test/", lambda image: encoded(image.convert("P")), "note: has a palette"),
        ("/test/", lambda image: encoded(image.convert("RGBA")), "note: has an alpha channel"),
        ("/train/", lambda image: encoded(image, exif=TURNED), "is turned by its EXIF alone"),
        ("/train/", lambda image: encoded(image.convert("CMYK"), "JPEG"), "note: is in CMYK"),
        ("/train/", lambda image: encoded(image, "WEBP"), "is no PNG or JPEG picture"),
        ("/train/", lambda image: encoded(image)[:-40], "is damaged or cut off"),
        ("/train/", lambda _image: b"", "is no PNG or JPEG picture"),
        ("/ground_truth/", lambda _image: encoded(mask(1)), "has the values 0 and 1"),
        ("/ground_truth/", lambda _image: encoded(mask(128)), "has values besides 0 and 255 (128)"),
        ("/ground_truth/", lambda _image: encoded(mask(0)), "is empty"),
        ("/ground_truth/", lambda image: encoded(Image.new("L", image.size, 255)), "marks every pixel"),
        ("/ground_truth/", lambda _image: encoded(mask(size=(10, 12))), "has 10 x 12 pixels, and its picture 16 x 24"),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_each_picture_that_readers_get_wrong_is_named(
    tmp_path: Path, part: str, change: Callable[[Image.Image], bytes], words: str
) -> None:
    """One finding for each file, and none for the others."""
    found = faults(tmp_path, remade(GOOD, part, change))
    assert set(found) == {f"public/{path}" for path in GOOD if part in path}
    assert all(any(words in rule for rule in rules) for rules in found.values())


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_masks_of_two_values_are_good_in_every_mode(tmp_path: Path, mode: str) -> None:
    assert faults(tmp_path, remade(GOOD, "/ground_truth/", lambda image: encoded(image.convert(mode)))) == {}


def test_jpegs_are_said_not_to_be_seen(tmp_path: Path) -> None:
    """Anomalib's reader leaves them out, and ends at the masks that are left: found out by submitters so far."""
    found = faults(tmp_path, remade(GOOD, "/test/", lambda image: encoded(image, "JPEG"), ".jpg"))
    assert set(found) == {f"public/{path.removesuffix('.png')}.jpg" for path in GOOD if "/test/" in path}
    assert all("takes .png alone" in rules[0] and "Save it as" in rules[0] for rules in found.values())


def without(part: str) -> Files:
    return {path: raw for path, raw in GOOD.items() if part not in path}


def renamed(old: str, new: str) -> Files:
    return {path.replace(old, new): raw for path, raw in GOOD.items()}


@pytest.mark.parametrize(
    ("files", "path", "words"),
    [
        (without("/train/"), "weave/train/good", "has no pictures: put there flawless pictures to train on"),
        (without("/test/good/"), "weave/test/good", "no AUROC without them"),
        (without("/dot/"), "weave/test", "pictures with defects, in a folder for each kind"),
        (without("/ground_truth/"), "weave/ground_truth/dot", "each of the 3 pictures in test/dot needs one"),
        (without("001_mask"), "weave/test/dot/001.png", "has no mask: add ground_truth/dot/001_mask.png"),
        (without("test/dot/001"), "weave/ground_truth/dot/001_mask.png", "belongs to no picture in test/dot"),
        (renamed("ground_truth", "groundtruth"), "weave/ground_truth/dot", "has no masks"),
        (renamed("train/good", "training/good"), "weave/train/good", "a folder 'training': rename it to 'train'"),
        (GOOD | {"weave/train/bad/1.png": encoded(surface(50))}, "weave/train/bad", "move them"),
        (GOOD | {"weave/ground_truth/good/1.png": encoded(mask())}, "weave/ground_truth/good", "has masks"),
        (GOOD | {"weave/preview.png": encoded(surface(50))}, "weave/preview.png", "is in no place for pictures"),
        (GOOD | {"weave/test/dot/x/1.png": encoded(surface(50))}, "weave/test/dot/x/1.png", "is in no place"),
        (GOOD | {"weave/test/dot/._1.png": b"\0"}, "weave/test/dot/._1.png", "companion of macOS"),
        (GOOD | {"weave/test/good/x.bmp": b"BM"}, "weave/test/good/x.bmp", "not .bmp"),
        (GOOD | {"weave/test/good/copy.png": GOOD["weave/train/good/000.png"]}, "weave/test/good/copy.png",
         "is the same file as train/good/000.png"),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_each_missing_or_superfluous_file_is_named(tmp_path: Path, files: Files, path: str, words: str) -> None:
    rules = faults(tmp_path, files)[f"public/{path}"]
    assert any(words in rule for rule in rules), rules


def test_numbers_without_leading_zeros_are_paired_wrongly(tmp_path: Path) -> None:
    """anomalib sorts by name: 1.png comes before 10.png, and 1_mask.png after 10_mask.png."""
    files = without("/dot/")
    for number in range(12):
        files[f"weave/test/dot/{number}.png"] = encoded(surface(30 + number))
        files[f"weave/ground_truth/dot/{number}_mask.png"] = encoded(mask())
    (rules,) = faults(tmp_path, files).values()
    assert "would get the mask 'dot/10_mask.png'" in rules[0]
    assert "001.png with 001_mask.png" in rules[0]


def test_categories_and_folders_are_compared(tmp_path: Path) -> None:
    """A category without a folder, one that is misspelled, a folder that is no category, no category at all."""
    found = faults(tmp_path, GOOD | good_set("grain"), categories=["weav", "gear"])
    assert "There is 'weave': rename one of them." in found["public/weav"][0]
    assert "there is no such folder" in found["public/gear"][0]
    assert "is no category of benchmark.yaml" in found["public/grain"][0]
    found = faults(tmp_path, GOOD, categories=[])
    assert found["benchmark.yaml"] == ["names no categories; write the folders of public: categories: [grain, weave]"]


def test_the_data_of_a_broken_file_is_looked_at_as_well(tmp_path: Path) -> None:
    """All faults at once."""
    found = faults(tmp_path, without("001_mask"), scoring="trusted")
    assert "trusted is not supported" in found["benchmark.yaml"][0]
    assert "has no mask" in found["public/weave/test/dot/001.png"][0]
    assert check_folder(tmp_path / "surfaces").condition is Condition.BROKEN


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    """Links and special files are faults, wherever they lead; none is opened."""
    (tmp_path / "secret.png").write_bytes(GOOD["weave/train/good/000.png"])
    folder = write_set(tmp_path, GOOD)
    inside = folder / "public" / "weave" / "train" / "good"
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    (inside / "folder").symlink_to(tmp_path)
    os.mkfifo(inside / "pipe.png")
    found = {one.path: one.rule for one in check_folder(folder).findings}
    assert set(found) == {f"public/weave/train/good/{name}" for name in ("link.png", "folder", "pipe.png")}
    assert all("link or no plain file" in rule for rule in found.values())


def test_a_data_folder_that_is_a_link_or_missing_is_said(tmp_path: Path) -> None:
    folder = write_set(tmp_path, GOOD)
    (folder / "public").rename(tmp_path / "elsewhere")
    assert "is not there: put the pictures" in check_folder(folder).findings[0].rule
    (folder / "public").symlink_to(tmp_path / "elsewhere")
    assert "is a link" in check_folder(folder).findings[0].rule


def test_bombs_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of a gigapixel is 1 MB of zeros; a file of gigabytes is not read."""
    for side in (6_000, 14_000):
        bomb = encoded(Image.new("1", (side, side)))
        found = faults(tmp_path, GOOD | {"weave/train/good/bomb.png": bomb})
        assert "make it smaller than 30000000" in found["public/weave/train/good/bomb.png"][0]
    monkeypatch.setattr(benchmark_pictures, "MOST_BYTES", 100)
    assert "is larger than 100 bytes" in faults(tmp_path, GOOD)["public/weave/train/good/000.png"][0]


def test_a_check_ends_in_bounded_time_and_says_so(tmp_path: Path) -> None:
    folder = write_set(tmp_path, GOOD)
    ticks = itertools.count()
    check = check_folder(folder, budget=Budget(seconds=15, clock=lambda: next(ticks)))
    assert "at most 15 s, so not everything was looked at" in check.unseen
    assert "too many entries" in check_folder(folder, budget=Budget(entries=5)).unseen
    assert check_folder(folder, with_pictures=False).pictures == 0
