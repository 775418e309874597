"""When a waiting job may start and how long it may run, from what was measured; a range, or nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_RUNS = 5
"""Fewer say nothing about the next one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """In seconds; between the quarter of runs that were shorter and the quarter that were longer."""

    starts_in: tuple[int, int]
    runs_for: tuple[int, int]
    measured_runs: int


def estimate(*, position: int, running: int, seats: int, run_seconds: Sequence[float]) -> Estimate | None:
    """For the job at `position` (1 is next) of a class that `seats` runners take, of which `running` are busy.

    None without a runner, and when too few runs were measured. The nearest end of a busy runner's job may come at once,
    or after a whole long run: that is the width of the range.
    """
    if seats < 1 or len(run_seconds) < FEWEST_RUNS:
        return None
    short, _median, long = statistics.quantiles(run_seconds, n=4)
    must_end = max(0, position - max(0, seats - running))
    """So many jobs have to end before it begins."""
    earliest = max(0, math.ceil(must_end / seats) - 1) * short
    latest = math.ceil(must_end / seats) * long
    return Estimate(
        starts_in=(math.floor(earliest), math.ceil(latest)),
        runs_for=(math.floor(short), math.ceil(long)),
        measured_runs=len(run_seconds),
    )
