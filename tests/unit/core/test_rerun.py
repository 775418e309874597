"""Two results side by side, as a table: what is equal, what is near, and what decides whether the old one holds."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.rerun import DEFAULT_TOLERANCE, Agreement, changes, holds
from tests.builders import rule

pytestmark = pytest.mark.unit

AUC, TIME = rule(name="image_auc"), rule(name="time_ms", unit="ms", minimum=None, maximum=None)
EQUAL, WITHIN, DIFFERS, MISSING = Agreement.EQUAL, Agreement.WITHIN, Agreement.DIFFERS, Agreement.MISSING


@pytest.mark.parametrize(
    ("old", "new", "tolerance", "agreement", "held"),
    [
        (0.9, 0.9, None, EQUAL, True),
        (0.9, 0.9000000000000001, None, WITHIN, True),
        (0.9, 0.9008, None, WITHIN, True),
        (0.9, 0.902, None, DIFFERS, False),
        (0.9, 0.9000000000000001, 0, DIFFERS, False),
        (0.9, 0.5, 0.5, WITHIN, True),
        (0.0, 1e-9, None, DIFFERS, False),
        (0.0, -0.0, 0, EQUAL, True),
        (1e308, -1e308, None, DIFFERS, False),
        (0.9, None, None, MISSING, False),
        (None, 0.9, 1, MISSING, False),
    ],
)
def test_a_metric_is_equal_near_or_not(
    old: float | None, new: float | None, tolerance: float | None, agreement: Agreement, *, held: bool
) -> None:
    """The tolerance is a share of the larger of both, so either may be the older one."""
    before, after = ({} if value is None else {"image_auc": value} for value in (old, new))
    for one, other in ((before, after), (after, before)):
        (found,) = changes(one, other, [rule(name="image_auc", rerun_tolerance=tolerance)])
        assert (found.agreement, found.holds, holds([found])) == (agreement, held, held)


def test_the_difference_is_new_minus_old() -> None:
    (found,) = changes({"a": 0.5}, {"a": 0.75}, None)
    assert (found.difference, found.tolerance) == (0.25, DEFAULT_TOLERANCE)
    (beyond,) = changes({"a": 1e308}, {"a": -1e308}, None)
    assert beyond.difference is None


@pytest.mark.parametrize(
    ("old", "new", "rules", "held"),
    [
        ({"image_auc": 0.9, "time_ms": 5.0}, {"image_auc": 0.9, "time_ms": 50.0}, [AUC, TIME], True),
        ({"image_auc": 0.9, "own": 1.0}, {"image_auc": 0.9, "own": 2.0}, [AUC], True),
        ({"own": 1.0}, {"own": 2.0}, None, False),
        ({"own": 1.0}, {"own": 1.0}, [AUC], None),
        ({"time_ms": 5.0}, {"time_ms": 5.0}, [TIME], None),
        ({"time_ms": 5.0}, {"time_ms": 50.0}, [TIME.model_copy(update={"rerun_tolerance": 0.1})], False),
        ({}, {}, [AUC], None),
        ({}, {}, None, None),
    ],
)
def test_the_benchmarks_own_metrics_decide(
    old: dict[str, float], new: dict[str, float], rules: Any, *, held: bool | None
) -> None:
    """Costs do not, unless it says how near they must be; without the benchmark every metric does."""
    found = changes(old, new, rules)
    assert holds(found) is held
    assert [one.name for one in found] == [*old], "each is shown, those of the benchmark first"
