"""ShowLeaderboard: a benchmark's runs, ranked by one of its metrics (SCO-3, SCO-4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.benchmark import Benchmark, MetricRule
from core.domain.errors import InvalidInput
from core.domain.standings import Standing, best_per_user, rank
from core.ports.benchmarks import BenchmarkPort
from core.ports.tracking import TrackingPort


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """One page of a board; `total` counts all its rows."""

    benchmark: Benchmark
    metric: MetricRule
    standings: Sequence[Standing]
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ShowLeaderboard:
    """Raises NotFound (benchmark), InvalidInput (metric), Unavailable."""

    benchmarks: BenchmarkPort
    tracking: TrackingPort
    default_benchmark: str

    def __call__(
        self, *, benchmark: str | None, metric: str | None, all_entries: bool, limit: int, offset: int
    ) -> Board:
        found = self.benchmarks.get(benchmark or self.default_benchmark)
        rule = found.metric(metric or found.primary_metric)
        if rule is None:
            names = ", ".join(item.name for item in found.metrics)
            raise InvalidInput.of("metric", f"must be one of {names}")
        entries = self.tracking.entries(found.name)
        standings = rank(entries, rule) if all_entries else best_per_user(entries, rule)
        return Board(benchmark=found, metric=rule, standings=standings[offset : offset + limit], total=len(standings))
