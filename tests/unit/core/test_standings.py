"""Ranking: the laws of a board, for any entries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.benchmark import Direction
from core.domain.standings import Entry, Standing, best_of_users, proven, rank, usable
from tests.builders import entry, later, rule

pytestmark = pytest.mark.unit

VALUES = st.none() | st.sampled_from([0.0, -0.0, 0.25, 0.5, 1.0, math.nan, math.inf, -math.inf, 1.5, -0.1])
USERS = st.sampled_from(["ada", "bob", "eve"])
ROWS = st.lists(st.tuples(VALUES | st.floats(0, 1), USERS, st.integers(0, 9)), max_size=12)
ENTRIES = ROWS.map(
    lambda rows: [
        entry(number, value, user_id=user, finished_at=later(when)) for number, (value, user, when) in enumerate(rows)
    ]
)
DIRECTIONS = st.sampled_from(list(Direction))


def ranks(standings: Sequence[Standing]) -> list[int | None]:
    return [standing.rank for standing in standings]


def best_rows(entries: Sequence[Entry], direction: Direction = Direction.MAXIMIZE) -> Sequence[Standing]:
    """A board of each user's best."""
    metric = rule(direction=direction)
    return rank(best_of_users(entries, metric), metric)


def test_ties_share_a_rank_and_the_next_is_skipped() -> None:
    """Equal values are 1, 2, 2, 4; among equals the earlier run stands first."""
    standings = rank([entry(1, 0.5), entry(2, 0.9), entry(3, 0.7), entry(4, 0.7)], rule())
    assert ranks(standings) == [1, 2, 2, 4]
    assert [standing.entry.user_id for standing in standings] == ["user2", "user3", "user4", "user1"]


def test_the_smallest_is_first_where_less_is_better() -> None:
    """A metric with direction minimize ranks upwards."""
    standings = rank([entry(1, 0.5), entry(2, 0.1)], rule(direction="minimize"))
    assert [standing.value for standing in standings] == [0.1, 0.5]


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, 1.0001, -0.0001, 42.0])
@pytest.mark.parametrize("direction", list(Direction))
def test_a_value_that_cannot_be_ranked_is_last_and_never_first(value: float | None, direction: Direction) -> None:
    """H59, SCO-3: missing, not finite or out of bounds has no rank and no value, in either direction."""
    standings = rank([entry(1, value), entry(2, 0.0)], rule(direction=direction))
    assert ranks(standings) == [1, None]
    assert standings[1].value is None
    assert rank([entry(1, value)], rule(direction=direction))[0].rank is None


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_the_bounds_themselves_are_in(value: float) -> None:
    """Minimum and maximum belong to the range."""
    assert usable(entry(1, value), rule()) == value


def test_without_bounds_every_finite_value_counts() -> None:
    """A metric that states no bounds admits any finite number."""
    assert usable(entry(1, -1e300), rule(minimum=None, maximum=None)) == -1e300


def test_unranked_rows_stand_newest_first() -> None:
    """Among rows without rank the latest is on top."""
    standings = rank([entry(1, None), entry(3, None), entry(2, None)], rule())
    assert [standing.entry.user_id for standing in standings] == ["user3", "user2", "user1"]


def test_removing_the_best_entry_restores_the_previous_one() -> None:
    """SCO-4: a user's row is always their best of what is there."""
    runs = [entry(1, 0.5, user_id="ada"), entry(2, 0.9, user_id="ada"), entry(3, 0.7, user_id="bob")]
    assert [(row.entry.user_id, row.value) for row in best_rows(runs)] == [("ada", 0.9), ("bob", 0.7)]
    del runs[1]
    assert [(row.entry.user_id, row.value) for row in best_rows(runs)] == [("bob", 0.7), ("ada", 0.5)]


def test_ranks_of_the_best_are_among_the_best_only() -> None:
    """Somebody's second-best run takes no rank away from anybody."""
    runs = [entry(1, 0.9, user_id="ada"), entry(2, 0.8, user_id="ada"), entry(3, 0.7, user_id="bob")]
    assert ranks(best_rows(runs)) == [1, 2]


@given(ENTRIES, DIRECTIONS)
def test_every_entry_has_one_row(entries: list, direction: Direction) -> None:
    """Ranking loses and doubles nobody."""
    rows = rank(entries, rule(direction=direction))
    assert sorted(row.entry.job_id for row in rows) == sorted(item.job_id for item in entries)


@given(ENTRIES, DIRECTIONS)
def test_rank_is_one_more_than_the_number_of_better_values(entries: list, direction: Direction) -> None:
    """The definition of competition ranking; equal values share, unranked rows come last."""
    rows = rank(entries, rule(direction=direction))
    ranked = [row for row in rows if row.rank is not None]
    sign = 1 if direction is Direction.MAXIMIZE else -1
    for row in ranked:
        assert row.rank == 1 + sum(sign * other.value > sign * row.value for other in ranked)
        assert math.isfinite(row.value)
        assert 0 <= row.value <= 1
    assert rows[: len(ranked)] == tuple(ranked)
    assert ranks(ranked) == sorted(ranks(ranked))


@given(ENTRIES, DIRECTIONS, st.randoms())
def test_the_order_of_arrival_does_not_matter(entries: list, direction: Direction, random: object) -> None:
    """The same entries in any order give the same board."""
    mixed = list(entries)
    random.shuffle(mixed)
    assert rank(mixed, rule(direction=direction)) == rank(entries, rule(direction=direction))


@given(ENTRIES, DIRECTIONS)
def test_each_user_shows_their_best(entries: list, direction: Direction) -> None:
    """One row a user, with no better value among their entries."""
    rows = best_rows(entries, direction)
    assert {row.entry.user_id for row in rows} == {item.user_id for item in entries}
    assert len({row.entry.user_id for row in rows}) == len(rows)
    for row in rows:
        own = [usable(item, rule()) for item in entries if item.user_id == row.entry.user_id]
        numbers = [value for value in own if value is not None]
        best = (max if direction is Direction.MAXIMIZE else min)(numbers) if numbers else None
        assert row.value == best


def test_a_board_of_verified_scores_ranks_no_claim() -> None:
    """SCO-2: an entry without a proof is shown last, whatever it says of itself."""
    entries = [entry(1, 1.0), replace(entry(2, 0.4), is_verified=True)]
    rows = rank(proven(entries), rule())
    assert [(row.rank, row.value, row.entry.job_id) for row in rows] == [
        (1, 0.4, entries[1].job_id), (None, None, entries[0].job_id),
    ]  # fmt: skip
