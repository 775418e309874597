"""What a scorer answered is read strictly: it may be an organiser's own, or broken by hostile predictions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.domain.benchmark import Benchmark
from core.domain.proof import MAX_ANSWER_BYTES, MAX_PROOF_BYTES, BadScores, read_scores

pytestmark = pytest.mark.unit

BENCHMARK = Benchmark.model_validate({
    "name": "dots", "title": "t", "scoring": "verified", "primary_metric": "auc",
    "metrics": [{"name": "auc", "minimum": 0, "maximum": 1}],
})  # fmt: skip
GOOD: dict[str, Any] = {"scorer": "anomaly 1", "metrics": {"auc": 0.5}}


def answer(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


def test_a_good_answer_is_read() -> None:
    """Curves and whatever else it may hold are left alone; notes are shown safely."""
    told = answer(categories={"a": {"auc": 1, "other": -3.5}}, notes=["well\x1b[2J", "x" * 9000], curves=[1])
    found = read_scores(told, BENCHMARK)
    assert (found.scorer, found.metrics, found.categories) == (
        "anomaly 1",
        {"auc": 0.5},
        {"a": {"auc": 1.0, "other": -3.5}},
    )
    assert found.notes[0] == "well‹U+001B›[2J"
    assert len(found.notes[1]) == 300
    assert read_scores(b'{"version": 7, "metrics": {"auc": 0}}', BENCHMARK).scorer == "7"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "wrote no scores.json"),
        (b"{", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b"[" * 100_000, "nested"),
        (b" " * (MAX_ANSWER_BYTES + 1), "larger than"),
        (b'{"metrics": {"auc": NaN}}', "NaN"),
        (b'{"metrics": {"auc": 1e999}}', "range of a double"),
        (b'{"metrics": {"auc": 0.1, "auc": 0.9}}', "twice"),
        (answer(metrics=[1]), "an object metrics"),
        (answer(metrics={}), "has no metric"),
        (answer(metrics={"auc": True}), "a number as 'auc'"),
        (answer(metrics={"auc": "0.9"}), "a number as 'auc'"),
        (answer(metrics={"auc": 1.0000001}), "out of the benchmark's own bounds"),
        (answer(metrics={"auc": 0.5}, categories={"a": {"auc": -0.1}}), "out of the benchmark's own bounds"),
        (answer(metrics={"auc": 0.5, "system/wall_seconds": 1}), "the platform's own"),
        (answer(metrics={"auc": 0.5, "claimed/auc": 1}), "the platform's own"),
        (answer(metrics={"auc": 0.5, "=cmd": 1}), "names hold letters"),
        (answer(metrics={"auc": 0.5, "a\u202eb": 1}), "names hold letters"),
        (answer(metrics={str(number): 1 for number in range(101)}), "more than 100 metrics"),
        (answer(categories={str(number): {} for number in range(201)}), "more than 200 categories"),
        (answer(categories=[]), "an object as categories"),
        (answer(notes="all good"), "a list of texts"),
        (answer(scorer={"a": 1}), "name its version"),
        (answer(categories={str(n): {f"{n} {m}" * 9: 0.123456789 for m in range(40)} for n in range(99)}), "64"),
    ],
)  # fmt: skip
def test_an_answer_that_breaks_a_rule_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(BadScores) as error:
        read_scores(raw, BENCHMARK)
    assert words in str(error.value).replace(str(MAX_PROOF_BYTES), "64")
