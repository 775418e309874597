"""`benchmark.yaml`: what it must say, and bounds of metrics."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.domain.benchmark import Benchmark, Direction, Scoring
from tests.builders import benchmark, rule

pytestmark = pytest.mark.unit


def test_reads_a_plain_benchmark_with_its_defaults() -> None:
    """Image, data folder and scoring have the documented defaults."""
    found = benchmark()
    assert Benchmark.model_validate({**found.model_dump(), "scoring": "verified"}).scoring is Scoring.VERIFIED
    assert (found.image, found.data, found.scoring, found.categories) == ("sandbox", "public", Scoring.REPORTED, ())
    assert found.metric("inference_time_ms").direction is Direction.MINIMIZE
    assert found.metric("nothing") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Upper"},
        {"name": "../x"},
        {"name": "a" * 65},
        {"name": ""},
        {"title": ""},
        {"data": "../other"},
        {"data": "/etc"},
        {"data": ""},
        {"categories": ["../x"]},
        {"scoring": "trusted"},
        {"metrics": []},
        {"metrics": [{"name": "image_auc"}, {"name": "image_auc"}]},
        {"metrics": [{"name": "image_auc", "minimum": float("nan")}]},
        {"metrics": [{"name": "image_auc", "maximum": float("inf")}]},
        {"metrics": [{"name": "image_auc", "direction": "up"}]},
        {"metrics": [{"name": "image_auc", "aliases": ["image_F1"]}, {"name": "image_f1"}]},
        {"metrics": [{"name": "image_auc", "aliases": ["x"]}, {"name": "image_f1", "aliases": ["X"]}]},
        {"metrics": [{"name": "image_auc", "aliases": [""]}]},
        {"metrics": [{"name": "image_auc", "aliases": ["x"] * 21}]},
        {"primary_metric": "unknown"},
        {"typo": 1},
    ],
)
def test_refuses_a_benchmark_that_breaks_a_rule(changes: dict[str, object]) -> None:
    """Names that become paths, doubled or missing metrics, bounds that are no numbers, and misspelt keys."""
    with pytest.raises(ValidationError):
        benchmark(**changes)


def test_a_metric_has_the_usual_other_names_unless_its_benchmark_names_some() -> None:
    """FLD-4: none, if the list is empty."""
    assert rule().other_names == ("image_AUROC",)
    assert rule(name="loss").other_names == ()
    assert rule(aliases=["acc", "ACC"]).other_names == ("acc", "ACC")
    assert rule(aliases=[]).other_names == ()


@pytest.mark.parametrize(
    ("bounds", "value", "expected"),
    [
        ((0, 1), 0.0, True),
        ((0, 1), 1.0, True),
        ((0, 1), 1.01, False),
        ((0, 1), -0.01, False),
        ((None, 1), -1e9, True),
        ((0, None), 1e9, True),
        ((None, None), 1e9, True),
    ],
)
def test_bounds_are_inclusive_and_optional(bounds: tuple, value: float, expected: bool) -> None:  # noqa: FBT001
    """H59: a value outside the metric's range is not admitted."""
    assert rule(minimum=bounds[0], maximum=bounds[1]).admits(value) is expected
