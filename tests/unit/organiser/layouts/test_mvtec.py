"""MVTec AD's layout: one category or a folder of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmark_sets import encoded, good_set, surface
from tests.unit.organiser.data_sets import NAME, prepared

pytestmark = pytest.mark.unit


def test_one_category_is_taken_under_its_folders_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {path.removeprefix("weave/"): raw for path, raw in good_set().items()}
    made = prepared(tmp_path, files | {"license.txt": b"CC"}, capsys)
    assert (made.code, list(made.told()["categories"])) == (0, ["source"])


def test_wanted_categories_alone_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with others does not matter."""
    made = prepared(tmp_path, good_set("weave") | {"grain/train/good/0.png": b""}, capsys, "--category", "weave")
    assert (made.code, list(made.told()["categories"])) == (0, ["weave"])


def test_other_folders_beside_categories_are_not_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Such as those of macOS, and hidden ones."""
    more = {"docs/0.png": b"", "__MACOSX/weave/train/good/0.png": b"", ".git/train/good/0.png": b"", "readme.txt": b""}
    made = prepared(tmp_path, good_set() | more | {"weave/test/good/._000.png": b""}, capsys)
    assert (made.code, list(made.told()["categories"])) == (0, ["weave"])


def test_other_kinds_of_pictures_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In upper case, too; what is written is PNG."""
    files = good_set()
    for number, (suffix, kind) in enumerate((("JPG", "JPEG"), ("bmp", "BMP"), ("tif", "TIFF"), ("webp", "WEBP"))):
        files[f"weave/train/good/more{number}.{suffix}"] = encoded(surface(60 + number), kind)
    made = prepared(tmp_path, files, capsys)
    assert made.code == 0
    assert len(list((made.public / "weave/train/good").glob("*.png"))) == 8
    assert NAME in made.out
