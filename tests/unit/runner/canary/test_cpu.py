"""Which part of a probe's CPU time is judged."""

from __future__ import annotations

import pytest

from core.ports.sandbox import CpuUse
from runner.canary.cpu import CpuSamples

pytestmark = pytest.mark.unit


def samples(*taken: tuple[float, float, int]) -> CpuSamples:
    found = CpuSamples()
    for at, used, periods in taken:
        found.add(CpuUse(at_seconds=at, used_seconds=used, periods=periods))
    found.add(None)
    return found


def test_the_busiest_time_is_judged_and_not_the_quiet_ones_around_it() -> None:
    told = samples((10.0, 0.1, 0), (10.5, 0.12, 2), (10.8, 0.42, 5), (12.0, 0.5, 9)).finding()
    assert told == {"used": 0.3, "seconds": 0.3, "periods": 9}


def test_a_time_too_short_for_a_rate_leaves_the_count_of_periods() -> None:
    """One period's use in a hundredth of a second is no rate."""
    assert samples((10.0, 0.1, 1), (10.01, 0.15, 1)).finding() == {"used": 0.0, "seconds": 0.0, "periods": 1}


def test_without_a_sample_nothing_is_found_out() -> None:
    assert samples().finding() is None
