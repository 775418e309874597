"""Ranking: entries of a board become standings; unusable values are never first, ties share a rank (SCO-3, SCO-4)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.domain.benchmark import Direction, MetricRule
from core.domain.metric_bounds import out_of_bounds


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a board: the result of a completed job."""

    job_id: str
    submission_id: str
    user_id: str
    run_id: str
    experiment_id: str
    method: str | None
    metrics: Mapping[str, float]
    finished_at: datetime
    categories: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The metrics in each category, where the scorer gave them."""
    is_verified: bool = False
    """Whether the platform computed its metrics."""
    is_rescored: bool = False
    """Whether they were computed anew, e.g. since labels had changed."""

    def figures(self, category: str | None = None) -> Mapping[str, float]:
        """The metrics in one category, or those over all."""
        return self.metrics if category is None else self.categories.get(category, {})


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """An entry with its rank: 1 is best, None if its value is missing, not finite or out of bounds.

    A baseline has a value and no rank.
    """

    rank: int | None
    value: float | None
    entry: Entry
    disqualified_because: str = ""

    def why_unranked(self, metric: MetricRule, category: str | None = None) -> str | None:
        """Why it has no rank by this metric, in words; None if it has one, or a baseline's place."""
        if self.rank is not None or self.value is not None:
            return None
        if self.disqualified_because:
            return f"disqualified: {self.disqualified_because}"
        value = self.entry.figures(category).get(metric.name)
        if value is None:
            return f"{metric.name} is missing"
        return out_of_bounds(metric, value) if math.isfinite(value) else f"{metric.name} is not a finite number"


def proven(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The entries as a board of verified scores takes them: one that only claims its metrics has none."""
    return tuple(entry if entry.is_verified else replace(entry, metrics={}) for entry in entries)


def usable(entry: Entry, metric: MetricRule, category: str | None = None) -> float | None:
    """The entry's value of this metric, in one category or over all, or None if it cannot be ranked."""
    value = entry.figures(category).get(metric.name)
    if value is None or not math.isfinite(value) or not metric.admits(value):
        return None
    return value


def rank(entries: Iterable[Entry], metric: MetricRule, category: str | None = None) -> Sequence[Standing]:
    """All entries, best first, equal values under one rank (1, 2, 2, 4); unranked ones last, newest first."""
    return rank_values(((usable(entry, metric, category), entry) for entry in entries), metric.direction)


def rank_values(valued: Iterable[tuple[float | None, Entry]], direction: Direction) -> Sequence[Standing]:
    """The same for entries with the value that ranks each, or None."""
    sign = -1.0 if direction is Direction.MAXIMIZE else 1.0
    ranked: list[tuple[float, Entry]] = []
    unranked: list[Entry] = []
    for value, entry in valued:
        if value is None:
            unranked.append(entry)
        else:
            ranked.append((value, entry))
    ranked.sort(key=lambda pair: (sign * pair[0], pair[1].finished_at, pair[1].job_id))
    last = (Standing(rank=None, value=None, entry=entry) for entry in newest_first(unranked))
    return (*_places(ranked), *last)


def newest_first(entries: Iterable[Entry]) -> Sequence[Entry]:
    return sorted(entries, key=lambda entry: (-entry.finished_at.timestamp(), entry.job_id))


def _places(ranked: Sequence[tuple[float, Entry]]) -> Iterable[Standing]:
    place = 0
    previous: float | None = None
    for number, (value, entry) in enumerate(ranked, start=1):
        if value != previous:
            place, previous = number, value
        yield Standing(rank=place, value=value, entry=entry)


def best_of_users(entries: Iterable[Entry], metric: MetricRule, category: str | None = None) -> Sequence[Entry]:
    """Each user's best entry; of a user without a usable value the newest."""
    best: dict[str, Entry] = {}
    for standing in rank(entries, metric, category):
        best.setdefault(standing.entry.user_id, standing.entry)
    return tuple(best.values())
