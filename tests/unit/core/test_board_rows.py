"""The rows of a board: which entries of each user, categories, mean ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from core.domain.benchmark import Benchmark
from core.domain.board_rows import ONLY_CLAIMED, By, Entries, Ranking, board_rows, mean_ranks
from core.domain.entry_marks import EntryMarks
from core.domain.errors import InvalidInput
from core.domain.standings import Entry, Standing
from core.usecases.show_leaderboard import Board, BoardQuery, Ranked, ShowLeaderboard
from tests.builders import entry, job_id, later, rule

pytestmark = pytest.mark.unit


def told(rows: Sequence[Standing]) -> list[tuple[int | None, str, float | None]]:
    return [(row.rank, row.entry.user_id, row.value) for row in rows]


def apart(number: int, user: str, when: int = 0, **values: float) -> Entry:
    """An entry with a value of image_auc in each of these categories, and their mean."""
    mean = sum(values.values()) / len(values) if values else None
    categories = {category: {"image_auc": value} for category, value in values.items()}
    return entry(number, mean, user_id=user, finished_at=later(when), categories=categories)


def rows(runs: Sequence[Entry], **ranking: Any) -> list[tuple[int | None, str, float | None]]:
    return told(board_rows(runs, Ranking(metric=rule(), **ranking), {}))


def test_the_latest_of_each_user_is_shown_whatever_it_is_worth() -> None:
    """Also one that cannot be ranked; best and all are as they were."""
    runs = [
        entry(1, 0.9, user_id="ada", finished_at=later(1)), entry(2, 0.5, user_id="ada", finished_at=later(2)),
        entry(3, 0.7, user_id="bob", finished_at=later(1)), entry(4, 7.0, user_id="bob", finished_at=later(3)),
    ]  # fmt: skip
    assert rows(runs, entries=Entries.LATEST) == [(1, "ada", 0.5), (None, "bob", None)]
    assert rows(runs) == [(1, "ada", 0.9), (2, "bob", 0.7)]
    assert len(rows(runs, entries=Entries.ALL)) == 4


def test_a_hidden_latest_entry_makes_room_for_the_one_before() -> None:
    runs = [entry(number, 0.1 * number, user_id="ada", finished_at=later(number)) for number in (1, 2)]
    marks = {runs[1].job_id: EntryMarks(is_hidden=True)}
    found = board_rows(runs, Ranking(metric=rule(), entries=Entries.LATEST), marks)
    assert told(found) == [(1, "ada", 0.1)]


def test_a_category_has_ranks_and_a_best_of_its_own() -> None:
    """Who has nothing in it is unranked there, with the reason."""
    runs = [apart(1, "ada", a=0.9, b=0.1), apart(2, "ada", a=0.2, b=0.6), apart(3, "bob", a=0.5)]
    assert rows(runs, category="a") == [(1, "ada", 0.9), (2, "bob", 0.5)]
    assert rows(runs, category="b") == [(1, "ada", 0.6), (None, "bob", None)]
    ranking = Ranking(metric=rule(), category="b")
    assert ranking.why_unranked(board_rows(runs, ranking, {})[1]) == "image_auc is missing"


def test_mean_ranks_are_those_of_each_category() -> None:
    """Ties share a rank; lower is better; the best of each user compete, by the metric over all categories."""
    runs = [
        apart(1, "ada", a=0.9, b=0.1, c=0.5),
        apart(2, "bob", a=0.8, b=0.8, c=0.5),
        apart(3, "eve", a=0.8, b=0.2, c=0.9),
        apart(4, "ada", a=0.1, b=0.1, c=0.1),
    ]
    # ada: 1, 3, 2; bob: 2, 1, 2; eve: 2, 2, 1
    assert [(rank, user, round(float(value or 0), 9)) for rank, user, value in rows(runs, by=By.MEAN_RANK)] == [
        (1, "bob", round(5 / 3, 9)), (1, "eve", round(5 / 3, 9)), (3, "ada", 2.0),
    ]  # fmt: skip
    assert mean_ranks(runs[:3], rule(direction="minimize"))[job_id(1)] == pytest.approx((3 + 1 + 1) / 3)


def test_who_misses_a_category_has_no_mean_rank() -> None:
    """Nor who has a value there that cannot be ranked; without categories nobody has one."""
    runs = [apart(1, "ada", a=0.9, b=0.9), apart(2, "bob", a=1.0), apart(3, "eve", a=0.5, b=7.0)]
    ranking = Ranking(metric=rule(), by=By.MEAN_RANK)
    found = board_rows(runs, ranking, {})
    assert [(row.rank, row.entry.user_id) for row in found] == [(1, "ada"), (None, "bob"), (None, "eve")]
    assert "in a category" in str(ranking.why_unranked(found[1]))
    assert rows([entry(1, 0.5)], by=By.MEAN_RANK) == [(None, "user1", None)]


def test_a_baseline_stands_in_its_place_and_counts_in_no_rank() -> None:
    """Whichever entries of users are shown; after equal values; and its user's other entries rank without it."""
    runs = [entry(1, 0.9, user_id="ada"), entry(2, 0.5, user_id="bob"), entry(3, 0.5, user_id="eve"),
            entry(4, 0.1, user_id="bob"), entry(5, 0.5, user_id="ada"), entry(6, None, user_id="ada")]  # fmt: skip
    pinned = EntryMarks(is_baseline=True)
    marks = {job_id(number): pinned for number in (1, 2, 5, 6)}
    ranking = Ranking(metric=rule())
    found = board_rows(runs, ranking, marks)
    assert told(found) == [
        (None, "ada", 0.9), (1, "eve", 0.5), (None, "bob", 0.5), (None, "ada", 0.5), (2, "bob", 0.1),
        (None, "ada", None),
    ]  # fmt: skip
    assert [ranking.why_unranked(row) for row in found] == [None] * 5 + ["image_auc is missing"]
    lower = board_rows(runs[:4], Ranking(metric=rule(direction="minimize")), marks)
    assert told(lower) == [(1, "bob", 0.1), (2, "eve", 0.5), (None, "bob", 0.5), (None, "ada", 0.9)]
    out = {**marks, job_id(1): EntryMarks(is_baseline=True, disqualified_because="x")}
    assert told(board_rows(runs, ranking, out))[-1] == (None, "ada", None)
    hidden = {job_id(1): EntryMarks(is_baseline=True, is_hidden=True)}
    assert told(board_rows(runs[:2], ranking, hidden)) == [(1, "bob", 0.5)]


def test_a_baseline_has_the_mean_rank_that_it_would_have() -> None:
    runs = [apart(1, "ada", a=0.9, b=0.1), apart(2, "bob", a=0.5, b=0.5), apart(3, "eve", a=0.7, b=0.7)]
    marks = {job_id(3): EntryMarks(is_baseline=True)}
    found = board_rows(runs, Ranking(metric=rule(), by=By.MEAN_RANK), marks)
    assert told(found) == [(1, "ada", 1.5), (1, "bob", 1.5), (None, "eve", 1.5)]


def test_a_claim_ranks_nowhere_where_scores_are_verified() -> None:
    """SCO-2: neither by value nor in the history, and the row says why; its claims take nobody's place."""
    runs = [entry(1, 1.0), entry(2, 0.5, is_verified=True)]
    metrics = (rule(),)
    benchmark = Benchmark(name="b", title="B", primary_metric="image_auc", metrics=metrics, scoring="verified")
    usecase = ShowLeaderboard(benchmark=benchmark, ranked=Ranked(entries=runs))
    board = usecase(BoardQuery())
    assert told(board.standings) == [(1, "user2", 0.5), (None, "user1", None)]
    assert [board.ranking.why_unranked(row) for row in board.standings] == [None, ONLY_CLAIMED]
    assert [step.value for step in usecase.history(BoardQuery()).steps] == [0.5]


def shown(entries: Sequence[Entry], **query: Any) -> Board:
    benchmark = Benchmark(name="b", title="B", primary_metric="image_auc", metrics=(rule(),))
    return ShowLeaderboard(benchmark=benchmark, ranked=Ranked(entries=entries))(BoardQuery(**query))


def test_a_board_names_the_categories_that_it_has() -> None:
    """An empty name is none; another than these is refused by name, and so is one beside a mean rank."""
    runs = [apart(1, "ada", b=0.9, a=0.1)]
    board = shown(runs, category="")
    assert (board.categories, board.ranking.category) == (("a", "b"), None)
    assert shown(runs, category="a").standings[0].value == 0.1
    with pytest.raises(InvalidInput, match=r"category: must be one in which entries have values \(a, b\)"):
        shown(runs, category="c")
    with pytest.raises(InvalidInput, match="category"):
        shown(runs, category="a", by=By.MEAN_RANK)
    with pytest.raises(InvalidInput, match="none: no entry here"):
        shown([entry(1, 0.5)], category="a")
