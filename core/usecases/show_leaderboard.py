"""ShowLeaderboard: a benchmark's runs, ranked by one of its metrics (SCO-3, SCO-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.benchmark import Benchmark, Direction, MetricRule, Scoring
from core.domain.board_history import best_over_time
from core.domain.board_rows import By, Entries, Ranking, board_rows
from core.domain.costs import Cost, pareto_front
from core.domain.entry_marks import UNMARKED, EntryMarks
from core.domain.errors import InvalidInput
from core.domain.standings import Entry, Standing, proven

MOST_RANKINGS = 64
MOST_NAMED = 20
MOST_ROWS = 100_000
"""Most rows of a board in one answer, which is an export."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """All entries of a benchmark at one moment; each ranking is computed once."""

    entries: Sequence[Entry]
    marks: Mapping[str, EntryMarks] = field(default_factory=dict)
    """By job id."""
    categories: Sequence[str] = field(init=False)
    """The categories in which entries have values, by name."""
    _made: dict[Ranking, Sequence[Standing]] = field(default_factory=dict)
    _fronts: dict[tuple[Ranking, Cost], frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = {category for entry in self.entries for category in entry.categories}
        object.__setattr__(self, "categories", tuple(sorted(found)))

    def by(self, ranking: Ranking) -> Sequence[Standing]:
        """The rows of a board that is ranked so."""
        if ranking not in self._made:
            if len(self._made) >= MOST_RANKINGS:
                self._made.clear()
                self._fronts.clear()
            self._made[ranking] = board_rows(self.counted(ranking), ranking, self.marks)
        return self._made.get(ranking) or ()

    def counted(self, ranking: Ranking) -> Sequence[Entry]:
        """The entries with the metrics that count on such a board."""
        return proven(self.entries) if ranking.is_verified else self.entries

    def front(self, ranking: Ranking, cost: Cost) -> frozenset[str]:
        """The jobs on the Pareto front of these rows, of value against cost."""
        key = (ranking, cost)
        if key not in self._fronts:
            self._fronts[key] = pareto_front(self.by(ranking), cost, ranking.direction)
        return self._fronts.get(key) or frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardQuery:
    """What a board is to show; without a metric it is ranked by the benchmark's own."""

    metric: str | None = None
    direction: Direction | None = None
    """For a metric that the benchmark does not name."""
    entries: Entries = Entries.BEST
    category: str | None = None
    """None or empty: over all categories."""
    by: By = By.VALUE
    cost: Cost = Cost.TIME
    """What the Pareto front sets against the value."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """Some rows of a board; `total` counts all its rows."""

    benchmark: Benchmark
    ranking: Ranking
    categories: Sequence[str]
    """Those by which it can be ranked."""
    cost: Cost
    front: frozenset[str]
    """The jobs of all rows, not only of these, that no other beats in both value and cost."""
    standings: Sequence[Standing]
    total: int
    marks: Mapping[str, EntryMarks]

    @property
    def metric(self) -> MetricRule:
        return self.ranking.metric

    def marks_of(self, standing: Standing) -> EntryMarks:
        """What is said about the entry of this row."""
        return self.marks.get(standing.entry.job_id, UNMARKED)


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """How the best value grew, oldest first."""

    benchmark: Benchmark
    ranking: Ranking
    steps: Sequence[Standing]
    marks: Mapping[str, EntryMarks]


@dataclass(frozen=True, kw_only=True, slots=True)
class ShowLeaderboard:
    """Some rows of a board made of these entries. Raises InvalidInput for an unknown metric or category."""

    benchmark: Benchmark
    ranked: Ranked

    def __call__(self, query: BoardQuery, *, limit: int = MOST_ROWS, offset: int = 0) -> Board:
        categories = self.ranked.categories
        ranking = self._ranking(query, categories)
        standings = self.ranked.by(ranking)
        return Board(
            benchmark=self.benchmark,
            ranking=ranking,
            categories=categories,
            cost=query.cost,
            front=self.ranked.front(ranking, query.cost),
            standings=standings[offset : offset + limit],
            total=len(standings),
            marks=self.ranked.marks,
        )

    def history(self, query: BoardQuery) -> History:
        """The entries that were the best when they ended, by the query's metric and category."""
        ranking = self._ranking(query, self.ranked.categories)
        steps = best_over_time(self.ranked.counted(ranking), ranking, self.ranked.marks)
        return History(benchmark=self.benchmark, ranking=ranking, steps=steps, marks=self.ranked.marks)

    def _ranking(self, query: BoardQuery, categories: Sequence[str]) -> Ranking:
        category = query.category or None
        is_mean_rank = query.by is By.MEAN_RANK
        if category and is_mean_rank:
            raise InvalidInput.of(
                "category", "cannot be given with by=mean_rank, which counts all; leave one of them out"
            )
        if category and category not in categories:
            known = ", ".join(categories[:MOST_NAMED]) or "none: no entry here has values for categories"
            raise InvalidInput.of("category", f"must be one in which entries have values ({known})")
        rule = self._rule(query.metric or self.benchmark.primary_metric, query.direction)
        is_verified = self.benchmark.scoring is Scoring.VERIFIED
        return Ranking(metric=rule, entries=query.entries, category=category, by=query.by, is_verified=is_verified)

    def _rule(self, name: str, direction: Direction | None) -> MetricRule:
        """The benchmark's own rule; for other metrics one without bounds: higher is better unless it is a cost."""
        if declared := self.benchmark.metric(name):
            return declared
        if any(name in entry.metrics for entry in self.ranked.entries):
            usual = Direction.MINIMIZE if name in {cost.metric for cost in Cost} else Direction.MAXIMIZE
            return MetricRule(name=name, direction=direction or usual)
        names = ", ".join(item.name for item in self.benchmark.metrics)
        raise InvalidInput.of("metric", f"must be one of {names}, or one that a run of this benchmark reports")
