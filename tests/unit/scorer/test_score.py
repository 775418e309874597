"""The whole command: folders in, `scores.json` or one of two refusals out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from scorer import VERSION
from scorer.score import BAD_LABELS, BAD_PREDICTIONS, main
from tests.unit.scorer.tree import SIDE, Tree

PIXELS = {"pixel_auc", "pixel_ap", "pixel_f1", "pixel_pro", "pixel_pro_05"}
IMAGES = {"image_auc", "image_ap", "image_f1"}


def scored(tree: Tree) -> dict[str, Any]:
    assert run(tree) == 0
    found: dict[str, Any] = json.loads((tree.root / "scores.json").read_text())
    return found


def run(tree: Tree) -> int:
    folders = {"--predictions": tree.predictions, "--labels": tree.labels, "--output": tree.root}
    return main([str(part) for pair in folders.items() for part in pair])


def test_perfect_maps_get_one_everywhere(tree: Tree) -> None:
    found = scored(tree)
    assert found["scorer"] == VERSION
    assert found["metrics"] == pytest.approx(dict.fromkeys(IMAGES | PIXELS, 1.0))
    assert found["categories"] == {name: pytest.approx(dict.fromkeys(IMAGES | PIXELS, 1.0)) for name in "ab"}
    assert found["notes"] == ["image scores: each map's maximum"]


def test_the_mean_is_over_categories(tree: Tree) -> None:
    """One category whose maps are upside down."""
    for name, mask in tree.masks().items():
        if name.startswith("b"):
            tree.write_map(name, -mask.astype(np.float32))
    found = scored(tree)
    assert found["categories"]["b"]["pixel_auc"] == 0
    assert found["metrics"]["pixel_auc"] == 0.5


def test_scores_of_the_run_count_before_the_maximum(tree: Tree) -> None:
    tree.write_scores({name: -float(mask.any()) for name, mask in tree.masks().items()})
    found = scored(tree)
    assert (found["metrics"]["image_auc"], found["metrics"]["pixel_auc"]) == (0, 1)
    assert found["notes"] == ["image scores: the run's own"]


def test_without_maps_only_pictures_are_scored(tree: Tree) -> None:
    for path in tree.maps.iterdir():
        path.unlink()
    tree.write_scores({name: float(mask.any()) for name, mask in tree.masks().items()})
    found = scored(tree)
    assert set(found["metrics"]) == IMAGES
    assert found["notes"][1] == "no anomaly maps: pixels are not scored"


def test_a_category_without_masks_has_no_pixel_figures(tree: Tree) -> None:
    """And the mean has only what every category has."""
    for row in tree.rows["b"]:
        row.pop("mask", None)
    tree.write_labels()
    found = scored(tree)
    assert (set(found["categories"]["a"]), set(found["categories"]["b"])) == (IMAGES | PIXELS, IMAGES)
    assert set(found["metrics"]) == IMAGES
    assert found["notes"][1] == "no masks: pixels are not scored in b"


def test_maps_of_the_benchmarks_own_size_are_brought_to_the_pictures(tree: Tree) -> None:
    """Blocks of two by two pixels; without `map_size` the same maps are refused."""
    for name, mask in tree.masks().items():
        tree.write_map(name, mask[::2, ::2].astype(np.float32))
    assert run(tree) == BAD_PREDICTIONS
    tree.write_labels(map_size=[SIDE // 2, SIDE // 2])
    assert scored(tree)["metrics"]["pixel_auc"] > 0.95


def test_bad_predictions_are_told_and_leave_no_scores(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    """All maps are looked at, and each kind of fault is one line."""
    for name in ("a0", "a1", "b3"):
        tree.write_map(name, np.full((SIDE, SIDE), np.nan, np.float32))
    tree.write_map("b0", np.zeros((SIDE, 8), np.float32))
    assert run(tree) == BAD_PREDICTIONS
    assert capsys.readouterr().err.splitlines() == [
        "a map has values that are NaN or infinite: a0.tiff, a1.tiff, b3.tiff",
        "a map is of 8 × 16 pixels; wanted: 16 × 16: b0.tiff",
    ]
    assert not (tree.root / "scores.json").exists()


def test_bad_labels_are_the_organisers(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the predictions are bad, too: they cannot be judged yet."""
    (tree.labels / "masks" / "a0.png").write_bytes(b"no picture")
    tree.write_map("a0", np.zeros((1, 1), np.float32))
    assert run(tree) == BAD_LABELS
    assert capsys.readouterr().err == "a mask cannot be read as a picture: a0\n"


def test_extreme_but_finite_values_are_scored(tree: Tree) -> None:
    """Largest float32, -0.0 and denormals: only their order counts."""
    for name, mask in tree.masks().items():
        tree.write_map(name, np.where(mask, np.float32(3.4e38), np.float32(-0.0)))
    assert scored(tree)["metrics"]["pixel_auc"] == 1
