"""The check of a verified benchmark's data: it shows no labels, and lists exactly its pictures (FLD-9, SCO-2)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.adapters.files.benchmark_check import check_folder
from tests.benchmark_sets import Files, encoded, mask, surface, write_set

pytestmark = pytest.mark.unit

IDS = {"weave": ["00", "01"]}


def verified_set(ids: object = IDS) -> Files:
    files = {f"weave/train/good/{number:02}.png": encoded(surface(number)) for number in range(3)}
    files |= {f"weave/test/{number:02}.png": encoded(surface(10 + number)) for number in range(2)}
    return files | {"ids.json": json.dumps(ids).encode()}


def faults(root: Path, files: Files, categories: tuple[str, ...] = ("weave",)) -> list[str]:
    """What is said of the data."""
    check = check_folder(write_set(root, files, scoring="verified", categories=list(categories)))
    return [f"{one.path}: {one.rule}" for one in check.findings if one.path != "benchmark.yaml"]


def without(part: str) -> Files:
    return {path: raw for path, raw in verified_set().items() if part not in path}


def test_a_good_set_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, verified_set()) == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (verified_set() | {"weave/test/dot/000.png": encoded(surface(5))}, "weave/test/dot/000.png: shows runs which"),
        (verified_set() | {"weave/ground_truth/00_mask.png": encoded(mask())}, "00_mask.png: shows runs which"),
        (verified_set() | {"weave/02.png": encoded(surface(5))}, "weave/02.png: is in no place for pictures"),
        (verified_set() | {"weave/test/02.jpg": encoded(surface(5), "JPEG")}, "02.jpg: is in no place for pictures"),
        (verified_set() | {"weave/test/02.png": encoded(surface(5))}, "ids.json: differs from the pictures in weave/"),
        (without("test/01"), "ids.json: differs from the pictures in weave/test, e.g. in 01"),
        (without("train"), "weave/train/good: has no pictures; scripts/benchmark prepare"),
        (without("weave/test"), "weave/test: has no pictures; scripts/benchmark prepare"),
        (without("ids.json"), "ids.json: cannot be read (No such file or directory)"),
        (verified_set() | {"ids.json": b"{"}, "ids.json: is no JSON"),
        (verified_set() | {"ids.json": b"[" * 100_000}, "ids.json: is no JSON"),
        (verified_set(["00"]), "ids.json: must be {"),
        (verified_set({"weave": "00"}), "ids.json: must be {"),
        (verified_set({"weave": ["00", "01", "01"]}), "ids.json: names an id of weave twice"),
        (verified_set({**IDS, "grain": []}), "ids.json: must have the categories of benchmark.yaml: weave"),
        (verified_set() | {"weave/test/01.png": b""}, "weave/test/01.png: is no PNG"),
        (verified_set() | {"weave/test/01.png": encoded(surface(0))}, "01.png: is the same file as train/good/00.png"),
    ],
)
def test_a_fault_is_named(files: Files, words: str, tmp_path: Path) -> None:
    assert any(words in one for one in faults(tmp_path, files)), faults(tmp_path, files)


def test_a_category_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = faults(tmp_path, verified_set(), ("weave", "grain"))
    assert any(one.startswith("public/grain: is a category of benchmark.yaml, and there is no") for one in found)


def test_without_categories_it_is_of_another_task_and_any_plain_files_will_do(tmp_path: Path) -> None:
    assert faults(tmp_path, {"train.csv": b"", "a/b.json": b""}, ()) == []
    (tmp_path / "surfaces" / "public" / "link").symlink_to("/etc/passwd")
    assert faults(tmp_path, {}, ()) == ["public/link: is a link or no plain file; put the file itself there"]
