"""The estimate of a waiting job: a range from measured runs, or nothing."""

from __future__ import annotations

import pytest

from core.domain.estimate import FEWEST_RUNS, estimate

pytestmark = pytest.mark.unit

RUNS = [100.0] * 20


@pytest.mark.parametrize(
    ("position", "running", "seats", "starts_in"),
    [
        (1, 0, 1, (0, 0)),
        (1, 1, 1, (0, 100)),
        (2, 1, 1, (100, 200)),
        (4, 2, 2, (100, 200)),
        (5, 2, 2, (200, 300)),
        (2, 1, 4, (0, 0)),
    ],
)
def test_a_job_starts_when_enough_others_have_ended(
    position: int, running: int, seats: int, starts_in: tuple[int, int]
) -> None:
    """Issue 5: the nearest end may come at once or after a whole run; no job ahead ends sooner than the short runs."""
    found = estimate(position=position, running=running, seats=seats, run_seconds=RUNS)
    assert found is not None
    assert (found.starts_in, found.runs_for, found.measured_runs) == (starts_in, (100, 100), 20)


def test_the_range_is_that_of_the_middle_half_of_runs() -> None:
    found = estimate(position=1, running=1, seats=1, run_seconds=[float(number) for number in range(1, 100)])
    assert found is not None
    assert found.runs_for == (25, 75)


@pytest.mark.parametrize(("seats", "runs"), [(0, RUNS), (1, RUNS[: FEWEST_RUNS - 1])])
def test_nothing_is_said_without_runners_or_data(seats: int, runs: list[float]) -> None:
    """Honest: no figure rather than one out of the air."""
    assert estimate(position=1, running=0, seats=seats, run_seconds=runs) is None
