"""Whether a run is ranked on its benchmark, and the sentence if it is not."""

from __future__ import annotations

import pytest

from core.domain.assessment import Assessment, assess
from core.domain.metrics import parse_metrics
from tests.builders import benchmark, metrics_json

pytestmark = pytest.mark.unit

BOUNDS = {"minimum": 0, "maximum": 1}
METRICS = [{"name": name, **BOUNDS} for name in ("image_auc", "image_f1", "pixel_auc", "pixel_f1", "pixel_pro")]
ANOMALIB = {"image_AUROC": 0.93, "image_F1Score": 0.88, "pixel_AUROC": 0.95, "pixel_F1Score": 0.4, "pixel_AUPRO": 0.7}


def assessed(reported: dict[str, object], *, figures: dict[str, float] | None = None, **changes: object) -> Assessment:
    board = benchmark(**{"primary_metric": "image_auc", "metrics": METRICS, **changes})
    return assess(parse_metrics(metrics_json(metrics=reported)), board, figures=figures or {})


def test_the_boards_own_names_need_no_word() -> None:
    found = assessed({"image_auc": 0.9})
    assert (found.unranked_because, found.notes) == (None, ())


def test_anomalibs_names_are_taken_for_the_boards() -> None:
    """Field cases 29 and 49: told by a note each; what was reported stays as it is."""
    found = assessed(ANOMALIB)
    own = {"image_auc": 0.93, "image_f1": 0.88, "pixel_auc": 0.95, "pixel_f1": 0.4, "pixel_pro": 0.7}
    assert found.metrics.metrics == {**ANOMALIB, **own}
    assert found.unranked_because is None
    assert "image_AUROC was taken for image_auc." in found.notes
    assert len(found.notes) == len(own)


@pytest.mark.parametrize("name", ["image_auroc", "IMAGE_AUROC", "Image_AUC"])
def test_case_makes_no_other_name(name: str) -> None:
    assert assessed({name: 0.9}).metrics.metrics["image_auc"] == 0.9


def test_the_boards_own_name_wins() -> None:
    """With a note if the values differ, without one if they do not."""
    found = assessed({"image_auc": 0.5, "image_AUROC": 0.6})
    assert found.metrics.metrics["image_auc"] == 0.5
    assert found.notes == ("image_auc counts as it is; image_AUROC has another value and does not count.",)
    assert assessed({"image_auc": 0.5, "image_AUROC": 0.5}).notes == ()


def test_two_other_names_with_different_values_are_none() -> None:
    """The report does not say which value is meant, so the metric is left out with a note."""
    found = assessed({"image_AUROC": 0.5, "image_auroc": 0.6})
    assert "image_auc" not in found.metrics.metrics
    assert "image_auc was left out: image_AUROC, image_auroc have different values" in found.notes[0]
    assert found.unranked_because == "image_auc is missing (you wrote image_AUROC, image_auroc with different values)"
    assert assessed({"image_AUROC": 0.5, "image_auroc": 0.5}).unranked_because is None


@pytest.mark.parametrize(
    ("aliases", "name", "because"),
    [
        ([], "image_AUROC", "image_auc is missing (you wrote image_AUROC)"),
        (["acc"], "acc", None),
        (["acc"], "image_AUROC", "image_auc is missing (you wrote image_AUROC)"),
    ],
)
def test_a_benchmarks_own_table_stands_instead_of_the_usual_one(
    aliases: list[str], name: str, because: str | None
) -> None:
    """FLD-4: the table belongs to the benchmark."""
    found = assessed({name: 0.9}, metrics=[{"name": "image_auc", **BOUNDS, "aliases": aliases}])
    assert found.unranked_because == because


@pytest.mark.parametrize(
    ("metrics", "because"),
    [
        ({"image_auc": 93.1}, "image_auc 93.1 is out of 0..1 (percent? write 0.931)"),
        ({"image_AUROC": 93.1}, "image_auc 93.1 is out of 0..1 (percent? write 0.931)"),
        ({"image_auc": -0.25}, "image_auc -0.25 is out of 0..1"),
        ({"image_auc": 250}, "image_auc 250 is out of 0..1"),
        ({"auroc": 0.9, "loss": 2}, "image_auc is missing (you wrote auroc)"),
        ({"pixel_auc": 0.9, "pixel_AUROC": 0.9, "auroc": 0.9}, "image_auc is missing (you wrote auroc)"),
        ({"pixel_auc": 0.9}, "image_auc is missing (you wrote pixel_auc)"),
        ({"loss": 2, "acc": 1}, "image_auc is missing (you wrote acc, loss)"),
        ({f"m{n}": n for n in range(9)}, "image_auc is missing (you wrote m0, m1, m2 and 6 more)"),
        ({}, "image_auc is missing (you wrote no metric that counts)"),
        ({"image_auc": None}, "image_auc is missing: 'image_auc' was left out, since it is no number"),
        ({"image_AUROC": "0.9"}, "image_auc is missing: 'image_AUROC' was left out, since it is text"),
    ],
)
def test_what_keeps_a_run_off_the_board_is_said(metrics: dict[str, object], because: str) -> None:
    """Field cases 29, 35: the value, the bounds, and what was written instead."""
    assert (assessed(metrics).unranked_because or "").startswith(because)


@pytest.mark.parametrize(
    ("bounds", "value", "words"),
    [({"minimum": 0}, -3, "ms -3 is below 0"), ({"maximum": 5}, 7, "ms 7 is above 5"), (BOUNDS, 95, "write 0.95")],
)
def test_another_metric_out_of_its_bounds_is_a_note(bounds: dict[str, float], value: float, words: str) -> None:
    """Field case 35: the run is ranked by its primary metric, and not by this one."""
    found = assessed({"image_auc": 0.9, "ms": value}, metrics=[METRICS[0], {"name": "ms", **bounds}])
    assert found.unranked_because is None
    assert found.notes[0].startswith("Not ranked by ms: ")
    assert words in found.notes[0]


def test_a_figure_of_the_platform_may_be_the_primary_metric() -> None:
    found = assessed(
        {}, figures={"system/wall_seconds": 3.0}, primary_metric="system/wall_seconds",
        metrics=[{"name": "system/wall_seconds", "direction": "minimize"}],
    )  # fmt: skip
    assert found.unranked_because is None
