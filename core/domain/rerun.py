"""Compares the metrics of a job with those of the job that it repeats; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.domain.benchmark import MetricRule

DEFAULT_TOLERANCE = 0.001
"""Of metrics without a unit for which the benchmark names none."""


class Agreement(StrEnum):
    """How a metric's new value compares with its old one."""

    EQUAL = "equal"
    """The same number, to the last digit."""
    WITHIN = "within"
    """They differ by at most the tolerance, as a share of the larger of both."""
    DIFFERS = "differs"
    MISSING = "missing"
    """One of the two jobs has no such metric."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricChange:
    """One metric of both jobs; a value that a job does not have is None."""

    name: str
    old: float | None
    new: float | None
    agreement: Agreement
    tolerance: float | None
    """None if the metric does not decide whether the result holds."""

    @property
    def difference(self) -> float | None:
        """New minus old; None if one is missing, or the difference is beyond the range of a double."""
        if self.old is None or self.new is None:
            return None
        found = self.new - self.old
        return found if math.isfinite(found) else None

    @property
    def holds(self) -> bool | None:
        """Whether the metric is repeated; None if it does not decide."""
        return None if self.tolerance is None else self.agreement in {Agreement.EQUAL, Agreement.WITHIN}


def changes(
    old: Mapping[str, float], new: Mapping[str, float], rules: Sequence[MetricRule] | None
) -> tuple[MetricChange, ...]:
    """All metrics of both, those of the benchmark first; `rules` is None if the benchmark is gone, and all decide.

    Of a benchmark decide its metrics that one of both has: those without a unit, by DEFAULT_TOLERANCE, and those for
    which it names a tolerance. What has a unit, such as milliseconds, is a cost, which no two runs share.
    """
    listed = [rule.name for rule in rules or ()]
    tolerances = {rule.name: tolerance_of(rule) for rule in rules or ()}
    names = [*(name for name in listed if name in {*old, *new}), *sorted({*old, *new} - {*listed})]
    default = DEFAULT_TOLERANCE if rules is None else None
    return tuple(_change(name, old.get(name), new.get(name), tolerances.get(name, default)) for name in names)


def tolerance_of(rule: MetricRule) -> float | None:
    """The metric's tolerance; None if it does not decide."""
    if rule.rerun_tolerance is not None:
        return rule.rerun_tolerance
    return DEFAULT_TOLERANCE if rule.unit is None else None


def holds(found: Sequence[MetricChange]) -> bool | None:
    """Whether every metric that decides is repeated; None if none decides."""
    decided = [change.holds for change in found if change.holds is not None]
    return all(decided) if decided else None


def _change(name: str, old: float | None, new: float | None, tolerance: float | None) -> MetricChange:
    if old is None or new is None:
        agreement = Agreement.MISSING
    elif old == new:
        agreement = Agreement.EQUAL
    else:
        close = math.isclose(old, new, rel_tol=DEFAULT_TOLERANCE if tolerance is None else tolerance)
        agreement = Agreement.WITHIN if close else Agreement.DIFFERS
    return MetricChange(name=name, old=old, new=new, agreement=agreement, tolerance=tolerance)
