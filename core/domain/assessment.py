"""Says whether a run's report is ranked on its benchmark, and if not, why; maps other names to the board's (FLD-4)."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.domain.benchmark import Benchmark, MetricRule
from core.domain.metric_bounds import out_of_bounds
from core.domain.metric_names import composed
from core.domain.metrics import RunMetrics
from core.domain.report_notes import NOTE_CHARS, bounded, cut, shown_name

NAMED = 3
LIKE = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """A report as it counts on its benchmark."""

    metrics: RunMetrics
    """With the board's names added, where the run reported them under others. Nothing reported is renamed."""
    notes: tuple[str, ...]
    """Bounded, as those of the report, which come last: what does not count, or counts under another name."""
    unranked_because: str | None = None
    """Why the run is not ranked by the primary metric; None if it is ranked."""


NOT_SCORED = " among what the scorer could compute from the predictions"


def assess(
    reported: RunMetrics, benchmark: Benchmark, *, figures: Mapping[str, float], is_scored: bool = False
) -> Assessment:
    """Assesses a report, or what the platform's scorer computed.

    `figures` are the run's `system/` figures, by which a benchmark may rank, too.
    """
    taken, about_names = _under_board_names(reported.metrics, benchmark)
    counted = {**taken, **figures}
    others = [metric for metric in benchmark.metrics if metric.name != benchmark.primary_metric]
    out = [
        f"Not ranked by {metric.name}: {out_of_bounds(metric, counted[metric.name])}."
        for metric in others
        if metric.name in counted and not metric.admits(counted[metric.name])
    ]
    because = _unranked_because(benchmark, counted, None if is_scored else reported)
    return Assessment(
        metrics=replace(reported, metrics=taken),
        notes=(*bounded([*about_names, *out]), *reported.notes),
        unranked_because=cut(because, NOTE_CHARS) if because else None,
    )


def _under_board_names(metrics: Mapping[str, float], benchmark: Benchmark) -> tuple[dict[str, float], list[str]]:
    """The metrics with those of the board added that have another name in the report, and a note on each."""
    written: dict[str, list[str]] = {}
    for name in metrics:
        written.setdefault(name.casefold(), []).append(name)
    found, notes = dict(metrics), []
    for rule in benchmark.metrics:
        names = [name for one in _names_of(rule) for name in written.get(one, []) if name != rule.name]
        values = {metrics[name] for name in names}
        listed = _some(names)
        if not names or values == {metrics.get(rule.name)}:
            continue
        if rule.name in metrics:
            notes.append(f"{rule.name} counts as it is; {listed} has another value and does not count.")
        elif len(values) > 1:
            notes.append(f"{rule.name} was left out: {listed} have different values. Write {rule.name} itself.")
        else:
            found[rule.name] = values.pop()
            notes.append(f"{listed} was taken for {rule.name}.")
    return found, notes


def _names_of(rule: MetricRule) -> tuple[str, ...]:
    """The metric's name and its other names in their comparable form, each once."""
    return tuple(dict.fromkeys(composed(name).casefold() for name in (rule.name, *rule.other_names)))


def _unranked_because(benchmark: Benchmark, counted: Mapping[str, float], reported: RunMetrics | None) -> str | None:
    rule = benchmark.metric(benchmark.primary_metric)
    if rule is None:
        raise ValueError("a benchmark's primary metric is among its metrics")
    value = counted.get(rule.name)
    if value is None:
        return f"{rule.name} is missing{_instead(rule, benchmark, reported) if reported else NOT_SCORED}"
    return None if rule.admits(value) else out_of_bounds(rule, value)


def _instead(rule: MetricRule, benchmark: Benchmark, reported: RunMetrics) -> str:
    """What the report has instead of a metric: an entry that was left out, a name like it, or other names."""
    comparable = _names_of(rule)
    for name, fault in reported.left_out.items():
        if name.casefold() in comparable:
            return f": {shown_name(name)} was left out, since {fault.removesuffix('.')}"
    names = sorted(reported.metrics)
    matching = [name for name in names if name.casefold() in comparable]
    if len(matching) > 1:
        return f" (you wrote {_some(matching)} with different values)"
    others = {form for other in benchmark.metrics if other is not rule for form in _names_of(other)}
    by_form = {name.casefold(): name for name in names if name.casefold() not in others}
    like = (found for form in comparable for found in difflib.get_close_matches(form, by_form, n=1, cutoff=LIKE))
    if (found := next(like, None)) is not None:
        return f" (you wrote {cut(by_form[found], 80)})"
    return f" (you wrote {_some(names)})" if names else " (you wrote no metric that counts)"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(cut(name, 80) for name in names[:NAMED]) + more
