"""The predictions that a look at labels is made with: one knows everything, the other nothing."""

from __future__ import annotations

import json

import pytest

from scorer.score import main
from tests.unit.scorer.tree import Tree


def scored(tree: Tree, kind: str) -> dict[str, float]:
    """The metrics of the example of this kind."""
    labels, made = ["--labels", str(tree.labels)], tree.root / kind
    assert main(["--example", kind, "--output", str(made), *labels]) == 0
    (tree.root / "out").mkdir(exist_ok=True)
    assert main(["--predictions", str(made), "--output", str(tree.root / "out"), *labels]) == 0
    found: dict[str, float] = json.loads((tree.root / "out" / "scores.json").read_text())["metrics"]
    return found


def test_perfect_predictions_get_one_everywhere(tree: Tree) -> None:
    found = scored(tree, "perfect")
    assert (len(found), set(found.values())) == (8, {1.0})


def test_constant_predictions_get_what_chance_gets(tree: Tree) -> None:
    found = scored(tree, "constant")
    assert (found["image_auc"], found["pixel_auc"]) == (0.5, 0.5)
    assert found["pixel_pro"] == pytest.approx(0.15)


def test_without_masks_no_maps_are_written(tree: Tree) -> None:
    for rows in tree.rows.values():
        for row in rows:
            row.pop("mask", None)
    tree.write_labels()
    assert set(scored(tree, "perfect")) == {"image_auc", "image_ap", "image_f1"}


def test_wrong_masks_are_the_organisers(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    (tree.labels / "masks" / "a0.png").write_bytes(b"")
    output = ["--output", str(tree.root / "perfect")]
    assert main(["--example", "perfect", "--labels", str(tree.labels), *output]) == 4
    assert "a mask cannot be read as a picture: a0" in capsys.readouterr().err


def test_one_of_predictions_and_example_is_asked_for(tree: Tree) -> None:
    both = ["--predictions", str(tree.predictions), "--example", "perfect"]
    for given in ([], both):
        with pytest.raises(SystemExit):
            main([*given, "--labels", str(tree.labels), "--output", str(tree.root)])
