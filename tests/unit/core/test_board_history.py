"""How the best score of a board grew."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import board_history
from core.domain.board_history import best_over_time
from core.domain.board_rows import Ranking
from core.domain.entry_marks import EntryMarks
from tests.builders import entry, job_id, later, rule

pytestmark = pytest.mark.unit

BY = Ranking(metric=rule())


def test_each_step_is_better_than_all_before_it() -> None:
    """By the jobs' ends, not by their order; equal values are no step, unusable ones none either."""
    runs = [entry(1, 0.5), entry(4, 0.9), entry(3, 0.7), entry(2, 0.7), entry(5, 0.9), entry(6, 7.0), entry(7, None)]
    assert [(step.value, step.entry.job_id) for step in best_over_time(runs, BY, {})] == [
        (0.5, job_id(1)), (0.7, job_id(2)), (0.9, job_id(4)),
    ]  # fmt: skip
    lower = Ranking(metric=rule(direction="minimize"))
    falling = [entry(1, 0.5), entry(2, 0.0), entry(3, 0.4)]
    assert [step.value for step in best_over_time(falling, lower, {})] == [0.5, 0.0]


@pytest.mark.parametrize(
    "mark", [EntryMarks(is_hidden=True), EntryMarks(disqualified_because="x"), EntryMarks(is_baseline=True)]
)
def test_what_does_not_compete_never_was_the_best(mark: EntryMarks) -> None:
    runs = [entry(1, 0.9), entry(2, 0.5), entry(3, 0.6)]
    assert [step.value for step in best_over_time(runs, BY, {job_id(1): mark})] == [0.5, 0.6]


def test_a_long_history_keeps_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_history, "MOST_STEPS", 2)
    runs = [entry(number, number / 10) for number in range(1, 6)]
    assert [step.value for step in best_over_time(runs, BY, {})] == [0.4, 0.5]


@settings(deadline=None)  # a busy machine proves nothing
@given(st.lists(st.floats(0, 1), max_size=10))
def test_the_last_step_is_the_best(values: list[float]) -> None:
    runs = [entry(number, value, finished_at=later(number)) for number, value in enumerate(values)]
    steps = best_over_time(runs, BY, {})
    assert [step.value for step in steps][-1:] == ([max(values)] if values else [])
