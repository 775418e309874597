"""Costs of entries, and the front of score against cost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.benchmark import Direction
from core.domain.costs import Cost, costs_of, pareto_front, with_device_time
from core.domain.standings import Standing
from tests.builders import entry, job_id

pytestmark = pytest.mark.unit

NUMBERS = st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0])
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=10)


def row(number: int, value: float | None, seconds: float | None) -> Standing:
    metrics = {} if seconds is None else {"system/wall_seconds": seconds}
    return Standing(rank=None, value=value, entry=entry(number, metrics=metrics))


def test_the_front_is_what_no_other_beats_in_both() -> None:
    """Better at the same cost, or cheaper at the same value, takes a row off it; equal rows are on it together."""
    values = (0.9, 0.8, 0.8, 0.7, 0.95, 0.95, 0.5, 0.9)
    seconds = (100.0, 50.0, 60.0, 50.0, 200.0, 200.0, 10.0, 300.0)
    rows = [row(number, *point) for number, point in enumerate(zip(values, seconds, strict=True))]
    assert pareto_front(rows, Cost.TIME, Direction.MAXIMIZE) == {job_id(number) for number in (0, 1, 4, 5, 6)}
    assert pareto_front(rows, Cost.TIME, Direction.MINIMIZE) == {job_id(6)}
    assert pareto_front(rows, Cost.MEMORY, Direction.MAXIMIZE) == frozenset()


@settings(deadline=None)  # a busy machine proves nothing
@given(POINTS, st.sampled_from(list(Direction)))
def test_it_is_the_definition(points: list[tuple[float | None, float | None]], direction: Direction) -> None:
    sign = 1 if direction is Direction.MAXIMIZE else -1
    usable = {n: (sign * v, c) for n, (v, c) in enumerate(points) if v is not None and c is not None}
    beaten = {
        n for n, (v, c) in usable.items() if any(w >= v and d <= c and (w, d) != (v, c) for w, d in usable.values())
    }
    found = pareto_front([row(n, *point) for n, point in enumerate(points)], Cost.TIME, direction)
    assert found == {job_id(n) for n in usable.keys() - beaten}


@pytest.mark.parametrize(
    ("device", "seconds"), [("gpu GPU-1f", 8.5), ("gpu", 8.5), ("cpu", None), ("", None), ("gpus", None)]
)
def test_device_time_is_the_time_of_a_run_that_has_a_gpu(device: str, seconds: float | None) -> None:
    """A submission's own figure of that name does not count."""
    told = {"system/wall_seconds": 8.5, "system/device_seconds": 0.001, "image_auc": 0.5}
    assert with_device_time(told, device).get("system/device_seconds") == seconds
    assert "system/device_seconds" not in with_device_time({"system/device_seconds": 1.0}, "gpu 1")


def test_costs_are_the_platforms_finite_figures() -> None:
    metrics = {"system/wall_seconds": 2.0, "system/memory_bytes": math.nan, "wall_seconds": 1.0, "system/pids": 3.0}
    assert costs_of(entry(1, metrics=metrics)) == {"wall_seconds": 2.0}
