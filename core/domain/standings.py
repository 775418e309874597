"""Ranking: entries of a board become standings; unusable values are never first, ties share a rank (SCO-3, SCO-4)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.domain.benchmark import Direction, MetricRule
from core.domain.entry_marks import UNMARKED, EntryMarks
from core.domain.metric_bounds import out_of_bounds


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
    disqualified_because: str = ""

    def why_unranked(self, metric: MetricRule) -> str | None:
        """Why it has no rank by this metric, in words; None if it has one."""
        if self.rank is not None:
            return None
        if self.disqualified_because:
            return f"disqualified: {self.disqualified_because}"
        value = self.entry.metrics.get(metric.name)
        if value is None:
            return f"{metric.name} is missing"
        return out_of_bounds(metric, value) if math.isfinite(value) else f"{metric.name} is not a finite number"


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


def board_rows(
    entries: Iterable[Entry], metric: MetricRule, which: Entries, marks: Mapping[str, EntryMarks]
) -> Sequence[Standing]:
    """The rows of a board: what competes, ranked; then what is disqualified, newest first. Hidden entries are left out.

    Of each user the best entry and the newest disqualified one, or all of both.
    """
    competing: list[Entry] = []
    disqualified: list[Entry] = []
    for entry in entries:
        found = marks.get(entry.job_id, UNMARKED)
        if found.is_disqualified:
            disqualified.append(entry)
        elif not found.is_hidden:
            competing.append(entry)
    disqualified.sort(key=lambda entry: (-entry.finished_at.timestamp(), entry.job_id))
    if which is Entries.ALL:
        return (*rank(competing, metric), *_out(disqualified, marks))
    newest = {entry.user_id: entry for entry in reversed(disqualified)}
    kept = [entry for entry in disqualified if newest[entry.user_id] is entry]
    return (*best_per_user(competing, metric), *_out(kept, marks))


def _out(entries: Sequence[Entry], marks: Mapping[str, EntryMarks]) -> Iterable[Standing]:
    for entry in entries:
        yield Standing(
            rank=None, value=None, entry=entry, disqualified_because=marks[entry.job_id].disqualified_because
        )
