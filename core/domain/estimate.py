"""When a waiting job may start and how long it may run, estimated from measured runs; a range, or None."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_RUNS = 5
"""With fewer measured runs no estimate is given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Ranges in seconds, between the first and the third quartile of the measured runs."""

    starts_in: tuple[int, int]
    runs_for: tuple[int, int]
    measured_runs: int


def estimate(*, position: int, running: int, seats: int, run_seconds: Sequence[float]) -> Estimate | None:
    """Estimate for the job at `position` (1 is next) of a class with `seats` runners, of which `running` are busy.

    None if there is no runner or too few runs were measured. A busy runner may become free at once or only after a
    whole long run: this gives the width of the range.
    """
    if seats < 1 or len(run_seconds) < FEWEST_RUNS:
        return None
    short, _median, long = statistics.quantiles(run_seconds, n=4)
    must_end = max(0, position - max(0, seats - running))
    """So many jobs have to end before this one begins."""
    earliest = max(0, math.ceil(must_end / seats) - 1) * short
    latest = math.ceil(must_end / seats) * long
    return Estimate(
        starts_in=(math.floor(earliest), math.ceil(latest)),
        runs_for=(math.floor(short), math.ceil(long)),
        measured_runs=len(run_seconds),
    )
