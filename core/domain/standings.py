"""Ranking: entries of a board become standings; unusable values are never first, ties share a rank (SCO-3, SCO-4)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.benchmark import Direction, MetricRule


class Entries(StrEnum):
    """Which entries of each user a board shows."""

    BEST = "best"
    ALL = "all"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """An entry with its rank: 1 is best, None if its value is missing, not finite or out of bounds."""

    rank: int | None
    value: float | None
    entry: Entry


def usable(entry: Entry, metric: MetricRule) -> float | None:
    """The entry's value of this metric, or None if it cannot be ranked."""
    value = entry.metrics.get(metric.name)
    if value is None or not math.isfinite(value) or not metric.admits(value):
        return None
    return value


def rank(entries: Iterable[Entry], metric: MetricRule) -> Sequence[Standing]:
    """All entries, best first, equal values under one rank (1, 2, 2, 4); unranked ones last, newest first."""
    sign = -1.0 if metric.direction is Direction.MAXIMIZE else 1.0
    ranked: list[tuple[float, Entry]] = []
    unranked: list[Entry] = []
    for entry in entries:
        value = usable(entry, metric)
        if value is None:
            unranked.append(entry)
        else:
            ranked.append((value, entry))
    ranked.sort(key=lambda pair: (sign * pair[0], pair[1].finished_at, pair[1].job_id))
    unranked.sort(key=lambda entry: (-entry.finished_at.timestamp(), entry.job_id))
    places = [*_places(ranked), *(Standing(rank=None, value=None, entry=entry) for entry in unranked)]
    return tuple(places)


def _places(ranked: Sequence[tuple[float, Entry]]) -> Iterable[Standing]:
    place = 0
    previous: float | None = None
    for number, (value, entry) in enumerate(ranked, start=1):
        if value != previous:
            place, previous = number, value
        yield Standing(rank=place, value=value, entry=entry)


def best_per_user(entries: Iterable[Entry], metric: MetricRule) -> Sequence[Standing]:
    """Each user's best entry, ranked among themselves; a user without a usable value is shown with the newest entry."""
    best: dict[str, Entry] = {}
    for standing in rank(entries, metric):
        best.setdefault(standing.entry.user_id, standing.entry)
    return rank(best.values(), metric)
