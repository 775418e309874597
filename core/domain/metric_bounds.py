"""Says in words where a value lies outside its metric's bounds."""

from __future__ import annotations

from core.domain.benchmark import MetricRule

PERCENT = 100.0


def out_of_bounds(rule: MetricRule, value: float) -> str:
    """For a value that the metric does not admit, e.g. `image_auc 93.1 is out of 0..1 (percent? write 0.931)`."""
    low, high = rule.minimum, rule.maximum
    if high is None:
        where = f"below {low:g}"
    elif low is None:
        where = f"above {high:g}"
    else:
        where = f"out of {low:g}..{high:g}"
    share = value / PERCENT
    hint = f" (percent? write {share:.10g})" if high == 1.0 and value > 1.0 and rule.admits(share) else ""
    return f"{rule.name} {value:.10g} is {where}{hint}"
