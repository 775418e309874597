"""Exactly the listed ids are predicted, each once; everything wrong is told at once, with the first few files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scorer.faults import MOST_SHOWN, BadPredictions
from scorer.labels import read_labels
from scorer.predictions import NOTHING, Predictions, find_predictions
from tests.unit.scorer.tree import SIDE, Tree

ALL = [f"{name}{number}" for name in "ab" for number in range(4)]


def found(tree: Tree) -> Predictions:
    return find_predictions(tree.predictions, read_labels(tree.labels))


def words(tree: Tree) -> str:
    with pytest.raises(BadPredictions) as raised:
        found(tree)
    return str(raised.value)


def test_scores_and_maps_are_found(tree: Tree) -> None:
    tree.write_scores(dict.fromkeys(ALL, 1))
    read = found(tree)
    assert read.scores == dict.fromkeys(ALL, 1.0)
    assert read.maps is not None
    assert sorted(read.maps) == ALL


def test_either_is_enough(tree: Tree) -> None:
    assert found(tree).scores is None
    for path in tree.maps.iterdir():
        path.unlink()
    tree.write_scores(dict.fromkeys(ALL, 0.5))
    assert found(tree).maps is None


def test_nothing_at_all_is_told_with_the_next_step(tree: Tree) -> None:
    for path in tree.maps.iterdir():
        path.unlink()
    assert words(tree) == NOTHING


def test_maps_of_mvtec_ad_2_are_found(tree: Tree) -> None:
    """In its folders; the map of one category in another's folder is no picture's."""
    for path in list(tree.maps.iterdir()):
        folder = tree.predictions / "anomaly_images" / path.stem[0] / "test_private"
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(folder / path.name)
    assert sorted(found(tree).maps or ()) == ALL
    folder = tree.predictions / "anomaly_images"
    (folder / "a" / "test_private" / "a0.tiff").rename(folder / "b" / "test_private" / "a0.tiff")
    assert words(tree).splitlines() == [
        "a file belongs to no picture: anomaly_images/b/test_private/a0.tiff", "an id is missing with a map: a0"
    ]  # fmt: skip


def test_all_faults_are_told_at_once(tree: Tree) -> None:
    """A missing map, a superfluous one, one that is there twice, and scores that are none."""
    (tree.maps / "a0.tiff").unlink()
    tree.write_map("a1", np.zeros((SIDE, SIDE), np.float32), ".npy")
    (tree.maps / "=cmd.tiff").write_bytes(b"")
    (tree.maps / "notes.txt").write_text("")
    tree.write_scores('{"a0": NaN, "a1": 1e999, "a2": "1", "a3": true, "a3": 0.1, "b0": [1], "b1": null, "x": 1}')
    told = words(tree)
    assert "a score is no finite number: a0, a1, a2, a3, b0 and 1 more" in told
    assert "an id is there twice in scores.json: a3" in told
    assert "an id in scores.json is none of the benchmark's: x" in told
    assert "an id is missing in scores.json: b2, b3" in told
    assert "a file belongs to no picture: " in told
    assert "maps/=cmd.tiff" in told
    assert "maps/notes.txt" in told
    assert "an id is there twice with a map: a1" in told
    assert "an id is missing with a map: a0" in told


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is not JSON: scores.json"),
        ("[" * 100_000, "it is no plain file, or too large: at most 200 bytes per picture: scores.json"),
        ("[" * 1500, "it is not JSON: scores.json"),
        ("[1, 2]", 'it must be one object: {"id": score}: scores.json'),
        ("1", 'it must be one object: {"id": score}: scores.json'),
    ],
)
def test_scores_that_are_no_object_are_named(tree: Tree, text: str, sentence: str) -> None:
    tree.write_scores(text)
    assert words(tree) == sentence


def test_no_scores_in_the_file_is_a_fault(tree: Tree) -> None:
    tree.write_scores({})
    assert words(tree).startswith("an id is missing in scores.json: a0, a1, a2, a3, b0 and 3 more")


def test_links_are_not_followed(tree: Tree) -> None:
    """Neither for the scores nor for a folder of maps nor inside one: the labels lie beside them."""
    (tree.root / "elsewhere.json").write_text(json.dumps(dict.fromkeys(ALL, 1.0)))
    (tree.predictions / "scores.json").symlink_to(tree.root / "elsewhere.json")
    (tree.predictions / "anomaly_images").symlink_to(tree.labels)
    (tree.maps / "more").symlink_to(tree.labels / "masks")
    assert sorted(words(tree).splitlines()) == [
        "a file belongs to no picture: maps/more, anomaly_images",
        "it is no plain file, or too large: at most 200 bytes per picture: scores.json",
    ]


def test_a_flood_of_files_is_told_by_its_first_few(tree: Tree) -> None:
    for number in range(3000):
        (tree.maps / f"z{number:04}\n.tiff").write_bytes(b"")
    told = words(tree)
    assert len(told) < 1000
    assert told.count("\\n.tiff") == MOST_SHOWN
