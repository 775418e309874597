"""Labels that cannot be scored against are refused when they are read, in words for the organiser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from scorer.faults import BadLabels
from scorer.labels import read_labels
from tests.unit.scorer.tree import SIDE, Tree


def words(tree: Tree) -> str:
    with pytest.raises(BadLabels) as raised:
        read_labels(tree.labels)
    return str(raised.value)


def test_good_labels_are_read(tree: Tree) -> None:
    tree.write_labels(map_size=[8, 8])
    labels = read_labels(tree.labels)
    assert [category.name for category in labels.categories] == ["a", "b"]
    assert labels.map_size == (8, 8)
    masks = {picture.id: picture.mask() for category in labels.categories for picture in category.pictures}
    assert all((masks[name] == wanted).all() for name, wanted in tree.masks().items())


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, "{}", '{"version": 2, "categories": {}}', '{"version": 1, "categories": []}']
)
def test_what_is_no_labels_file_is_refused(tree: Tree, text: str) -> None:
    (tree.labels / "labels.json").write_text(text)
    assert words(tree).startswith("labels.json ")


def test_a_missing_file_is_named(tree: Tree) -> None:
    (tree.labels / "labels.json").unlink()
    assert "labels.json cannot be read" in words(tree)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": "../a0"}, 'a picture needs "id"'),
        ({"id": 7}, 'a picture needs "id"'),
        ({"size": [16]}, 'a picture needs "id"'),
        ({"size": [100_000, 100_000]}, 'a picture needs "id"'),
        ({"size": [True, 16]}, 'a picture needs "id"'),
        ({"anomalous": 1}, 'a picture needs "id"'),
        ({"anomalous": False}, "only anomalous pictures have a mask"),
        ({"mask": "../../secret.png"}, "only anomalous pictures have a mask, and it is a path below the folder"),
        ({"mask": "masks/\0.png"}, "only anomalous pictures have a mask, and it is a path below the folder"),
        ({"mask": None}, "some anomalous pictures of a category have a mask and others have none: a"),
        ({"id": "b0"}, "an id is there twice: b0"),
    ],
)
def test_a_wrong_row_is_named(tree: Tree, change: dict[str, Any], sentence: str) -> None:
    tree.rows["a"][0] |= change
    tree.write_labels()
    assert sentence in words(tree)


@pytest.mark.parametrize("kind", [True, False])
def test_a_category_of_one_kind_is_refused(tree: Tree, kind: bool) -> None:  # noqa: FBT001 both kinds
    tree.rows["b"] = [row for row in tree.rows["b"] if row["anomalous"] is kind]
    tree.write_labels()
    assert words(tree) == "a category needs at least one anomalous and one normal picture: b"


def test_no_category_and_a_wrong_map_size_are_told_together(tree: Tree) -> None:
    tree.rows.clear()
    tree.write_labels(map_size="8x8")
    assert words(tree).splitlines() == ['"map_size" is no [width, height]', "there is no category"]


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (Image.new("L", (SIDE, SIDE)), "the mask of an anomalous picture is empty: a0"),
        (Image.new("L", (SIDE, 8), 255), "a mask is of 16 × 8 pixels and its picture of 16 × 16: a0"),
        (None, "a mask cannot be read as a picture: a0"),
    ],
)
def test_a_wrong_mask_is_the_organisers_fault(tree: Tree, picture: Any, sentence: str) -> None:
    """The masks are read with the maps; a submitter is not blamed for them."""
    from scorer.evaluate import evaluate  # noqa: PLC0415 the rest of this file reads labels alone
    from scorer.predictions import find_predictions  # noqa: PLC0415

    path = tree.labels / "masks" / "a0.png"
    path.unlink()
    if picture is not None:
        picture.save(path)
    labels = read_labels(tree.labels)
    with pytest.raises(BadLabels) as raised:
        evaluate(labels, find_predictions(tree.predictions, labels))
    assert str(raised.value) == sentence


def test_colour_masks_count_where_any_channel_is_not_zero(tree: Tree) -> None:
    colour = np.zeros((SIDE, SIDE, 3), np.uint8)
    colour[2:5, 3:6, 2] = 1
    Image.fromarray(colour).save(tree.labels / "masks" / "a0.png")
    (first, *_rest) = read_labels(tree.labels).categories[0].pictures
    assert (first.mask() == tree.masks()["a0"]).all()
