"""AUROC, AP and F1-max are those of scikit-learn, also where the order alone is hard to keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from scorer.ranking import Curve, curve_of, keys_of
from tests.unit.scorer import reference

EXACT = 1e-12
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)
SCORED = st.lists(st.tuples(FLOATS, st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: {label for _score, label in rows} == {True, False}
)


def curve(scores: Any, labels: Any) -> Curve:
    keys = keys_of(scores)
    return curve_of(np.sort(keys[labels]), np.sort(keys[~labels]))


@given(SCORED)
def test_figures_are_those_of_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    """Ties, infinitely close values, 1e38, denormals and -0.0 included."""
    scores = np.array([score for score, _label in rows], dtype=np.float32)
    labels = np.array([label for _score, label in rows])
    found = curve(scores, labels)
    assert found.auroc() == pytest.approx(roc_auc_score(labels, scores), abs=EXACT)
    assert found.average_precision() == pytest.approx(average_precision_score(labels, scores), abs=EXACT)
    assert found.f1_max() == pytest.approx(reference.f1_max(scores, labels), abs=EXACT)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@given(st.lists(st.floats(allow_nan=False, width=16), min_size=2, max_size=30))
def test_keys_have_the_order_of_their_scores(kind: Any, values: list[float]) -> None:
    """Equal scores have equal keys, -0.0 and 0.0 too."""
    scores = np.array(values, dtype=kind)
    keys = keys_of(scores)
    assert ((scores[:, None] < scores) == (keys[:, None] < keys)).all()
    assert ((scores[:, None] == scores) == (keys[:, None] == keys)).all()


def test_one_planted_value_changes_no_other_rank() -> None:
    """Neither 1e30 in one place nor scores far from 0..1 lead to saturated figures."""
    labels = np.array([False] * 500 + [True] * 500)
    scores = (np.arange(1000) % 617 + 20).astype(np.float32)
    planted = np.append(scores, np.float32(1e30))
    assert curve(planted, np.append(labels, True)).auroc() == pytest.approx(
        roc_auc_score(np.append(labels, True), np.append(scores, 1000)), abs=EXACT
    )


def test_equal_scores_are_worth_a_coin() -> None:
    """AUROC 0.5; AP is the share of positives."""
    found = curve(np.ones(10, dtype=np.float32), np.arange(10) < 3)
    assert (found.auroc(), found.average_precision()) == (0.5, 0.3)


def test_a_perfect_order_is_worth_one() -> None:
    scores = np.arange(6, dtype=np.float64)
    found = curve(scores, scores > 3)
    assert (found.auroc(), found.average_precision(), found.f1_max()) == (1.0, 1.0, 1.0)


def test_counts_of_a_large_category_do_not_overflow() -> None:
    """87 million positives and as many negatives, all tied: the sum behind AUROC has 54 bits."""
    many = 87_000_000
    counts = [np.array([count], dtype=np.int64) for count in (many, 0, many)]
    assert Curve(many, many, *counts).auroc() == 0.5
