"""ShowLeaderboard: a benchmark's runs, ranked by one of its metrics (SCO-3, SCO-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.domain.benchmark import Benchmark, Direction, MetricRule, Scoring
from core.domain.errors import InvalidInput
from core.domain.standings import Entry, Standing, best_per_user, proven, rank

MOST_RANKINGS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """All entries of a benchmark at one moment; each ranking is computed once."""

    entries: Sequence[Entry]
    _made: dict[tuple[MetricRule, bool, bool], Sequence[Standing]] = field(default_factory=dict)

    def by(self, metric: MetricRule, *, all_entries: bool, is_verified: bool = False) -> Sequence[Standing]:
        """The standings of all entries, or of every user's best entry; with `is_verified` claims rank nowhere."""
        key = (metric, all_entries, is_verified)
        if key not in self._made:
            if len(self._made) >= MOST_RANKINGS:
                self._made.clear()
            entries = proven(self.entries) if is_verified else self.entries
            self._made[key] = rank(entries, metric) if all_entries else best_per_user(entries, metric)
        return self._made.get(key) or ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """One page of a board; `total` counts all its rows."""

    benchmark: Benchmark
    metric: MetricRule
    standings: Sequence[Standing]
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ShowLeaderboard:
    """One page of a board made of these entries. Raises InvalidInput for an unknown metric."""

    benchmark: Benchmark
    ranked: Ranked

    def __call__(
        self, *, metric: str | None, direction: Direction | None, all_entries: bool, limit: int, offset: int
    ) -> Board:
        rule = self._rule(metric or self.benchmark.primary_metric, direction or Direction.MAXIMIZE)
        is_verified = self.benchmark.scoring is Scoring.VERIFIED
        standings = self.ranked.by(rule, all_entries=all_entries, is_verified=is_verified)
        page = standings[offset : offset + limit]
        return Board(benchmark=self.benchmark, metric=rule, standings=page, total=len(standings))

    def _rule(self, name: str, direction: Direction) -> MetricRule:
        """The benchmark's own rule; for other reported metrics a rule without bounds in the requested direction."""
        if declared := self.benchmark.metric(name):
            return declared
        if any(name in entry.metrics for entry in self.ranked.entries):
            return MetricRule(name=name, direction=direction)
        names = ", ".join(item.name for item in self.benchmark.metrics)
        raise InvalidInput.of("metric", f"must be one of {names}, or one that a run of this benchmark reports")
