"""Makes the rows of a board: which entries of each user, by which value, and what comes last without a rank (SCO-5)."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean

from core.domain.benchmark import Direction, MetricRule
from core.domain.entry_marks import UNMARKED, EntryMarks
from core.domain.standings import Entry, Standing, best_of_users, newest_first, rank_values, usable

ONLY_CLAIMED = "the platform could not compute its scores, and what the submission claims does not count"


class Entries(StrEnum):
    """Which entries of each user a board shows."""

    BEST = "best"
    LATEST = "latest"
    ALL = "all"


class By(StrEnum):
    """What the rows are ordered by."""

    VALUE = "value"
    """The metric's value: over all categories, or in one."""
    MEAN_RANK = "mean_rank"
    """The mean of the entry's ranks in all categories, by the metric."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """What a board is ranked by."""

    metric: MetricRule
    entries: Entries = Entries.BEST
    category: str | None = None
    """None: the metric over all categories, as it was recorded."""
    by: By = By.VALUE
    is_verified: bool = False
    """Whether only scores that the platform computed rank, and claims rank nowhere."""

    @property
    def direction(self) -> Direction:
        """Which values of the rows are better; of mean ranks the lower ones."""
        return Direction.MINIMIZE if self.by is By.MEAN_RANK else self.metric.direction

    def why_unranked(self, standing: Standing) -> str | None:
        """Why a row has no rank, in words; None if it has one."""
        if self.is_verified and not standing.entry.is_verified and not standing.disqualified_because:
            return ONLY_CLAIMED
        if self.by is By.VALUE:
            return standing.why_unranked(self.metric, self.category)
        if standing.value is not None or standing.disqualified_because:
            return standing.why_unranked(self.metric)
        return f"{self.metric.name} is missing in a category, or cannot be ranked there"


def board_rows(entries: Iterable[Entry], ranking: Ranking, marks: Mapping[str, EntryMarks]) -> Sequence[Standing]:
    """The rows of a board: what competes, ranked; then what is disqualified, newest first. Hidden entries are left out.

    Of each user the best or the latest entry and the newest disqualified one, or all of both. Every baseline stands
    among the ranks where its value belongs, after equal ones.
    """
    competing: list[Entry] = []
    baselines: list[Entry] = []
    disqualified: list[Entry] = []
    for entry in entries:
        found = marks.get(entry.job_id, UNMARKED)
        if found.is_disqualified:
            disqualified.append(entry)
        elif not found.is_hidden:
            (baselines if found.is_baseline else competing).append(entry)
    shown = _of_users(competing, ranking)
    means = mean_ranks(shown, ranking.metric, beside=baselines) if ranking.by is By.MEAN_RANK else None

    def value_of(entry: Entry) -> float | None:
        return usable(entry, ranking.metric, ranking.category) if means is None else means.get(entry.job_id)

    rows = rank_values(((value_of(entry), entry) for entry in shown), ranking.direction)
    beside = rank_values(((value_of(entry), entry) for entry in baselines), ranking.direction)
    return (*_merged(rows, beside, ranking.direction), *_out(disqualified, ranking.entries, marks))


def _merged(rows: Sequence[Standing], baselines: Sequence[Standing], direction: Direction) -> Sequence[Standing]:
    """The rows with baselines in their places, without ranks."""
    if not baselines:
        return rows
    sign = -1.0 if direction is Direction.MAXIMIZE else 1.0

    def key(row: Standing) -> float:
        return math.inf if row.value is None else sign * row.value

    return list(heapq.merge(rows, (replace(row, rank=None) for row in baselines), key=key))


def competing(entries: Iterable[Entry], marks: Mapping[str, EntryMarks]) -> Sequence[Entry]:
    """The entries that take part in the ranks: neither hidden, nor disqualified, nor baselines."""
    out = {job_id for job_id, one in marks.items() if one.is_hidden or one.is_disqualified or one.is_baseline}
    return [entry for entry in entries if entry.job_id not in out]


def mean_ranks(entries: Sequence[Entry], metric: MetricRule, *, beside: Sequence[Entry] = ()) -> Mapping[str, float]:
    """By job id the mean of the ranks, among these entries, in every category that any of them has.

    The entries `beside` get the ranks that they would have, and count in no other's. An entry without a usable value
    in one of the categories has none.
    """
    sign = -1.0 if metric.direction is Direction.MAXIMIZE else 1.0
    ranks: dict[str, list[int]] = {entry.job_id: [] for entry in (*entries, *beside)}
    categories = {category for entry in entries for category in entry.categories}
    for category in categories:
        values = (usable(entry, metric, category) for entry in entries)
        better = sorted(sign * value for value in values if value is not None)
        for entry in (*entries, *beside):
            if (value := usable(entry, metric, category)) is not None:
                ranks[entry.job_id].append(1 + bisect_left(better, sign * value))
    return {job_id: fmean(found) for job_id, found in ranks.items() if found and len(found) == len(categories)}


def _of_users(entries: Sequence[Entry], ranking: Ranking) -> Sequence[Entry]:
    if ranking.entries is Entries.ALL:
        return entries
    if ranking.entries is Entries.LATEST:
        return _newest_of_users(entries)
    return best_of_users(entries, ranking.metric, ranking.category)


def _newest_of_users(entries: Iterable[Entry]) -> Sequence[Entry]:
    found: dict[str, Entry] = {}
    for entry in newest_first(entries):
        found.setdefault(entry.user_id, entry)
    return tuple(found.values())


def _out(entries: Sequence[Entry], which: Entries, marks: Mapping[str, EntryMarks]) -> Iterable[Standing]:
    for entry in newest_first(entries) if which is Entries.ALL else _newest_of_users(entries):
        reason = marks[entry.job_id].disqualified_because
        yield Standing(rank=None, value=None, entry=entry, disqualified_because=reason)
