"""ShowLeaderboard: a benchmark's runs, ranked by one of its metrics (SCO-3, SCO-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.benchmark import Benchmark, Direction, MetricRule
from core.domain.entry_marks import UNMARKED, EntryMarks
from core.domain.errors import InvalidInput
from core.domain.standings import Entries, Entry, Standing, board_rows

MOST_RANKINGS = 64
MOST_ROWS = 100_000
"""Most rows of a board in one answer, which is an export."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """All entries of a benchmark at one moment; each ranking is computed once."""

    entries: Sequence[Entry]
    marks: Mapping[str, EntryMarks] = field(default_factory=dict)
    """By job id."""
    _made: dict[tuple[MetricRule, Entries], Sequence[Standing]] = field(default_factory=dict)

    def by(self, metric: MetricRule, entries: Entries) -> Sequence[Standing]:
        """The standings of all entries, or of every user's best entry."""
        key = (metric, entries)
        if key not in self._made:
            if len(self._made) >= MOST_RANKINGS:
                self._made.clear()
            self._made[key] = board_rows(self.entries, metric, entries, self.marks)
        return self._made.get(key) or ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardQuery:
    """What a board is to show; without a metric it is ranked by the benchmark's own."""

    metric: str | None = None
    direction: Direction | None = None
    """For a metric that the benchmark does not name."""
    entries: Entries = Entries.BEST


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """Some rows of a board; `total` counts all its rows."""

    benchmark: Benchmark
    metric: MetricRule
    entries: Entries
    standings: Sequence[Standing]
    total: int
    marks: Mapping[str, EntryMarks]

    def marks_of(self, standing: Standing) -> EntryMarks:
        """What is said about the entry of this row."""
        return self.marks.get(standing.entry.job_id, UNMARKED)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShowLeaderboard:
    """Some rows of a board made of these entries. Raises InvalidInput for an unknown metric."""

    benchmark: Benchmark
    ranked: Ranked

    def __call__(self, query: BoardQuery, *, limit: int = MOST_ROWS, offset: int = 0) -> Board:
        rule = self._rule(query.metric or self.benchmark.primary_metric, query.direction or Direction.MAXIMIZE)
        standings = self.ranked.by(rule, query.entries)
        page = standings[offset : offset + limit]
        return Board(
            benchmark=self.benchmark,
            metric=rule,
            entries=query.entries,
            standings=page,
            total=len(standings),
            marks=self.ranked.marks,
        )

    def _rule(self, name: str, direction: Direction) -> MetricRule:
        """The benchmark's own rule; for other reported metrics a rule without bounds in the requested direction."""
        if declared := self.benchmark.metric(name):
            return declared
        if any(name in entry.metrics for entry in self.ranked.entries):
            return MetricRule(name=name, direction=direction)
        names = ", ".join(item.name for item in self.benchmark.metrics)
        raise InvalidInput.of("metric", f"must be one of {names}, or one that a run of this benchmark reports")
