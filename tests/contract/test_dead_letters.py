"""The contract of dead letters, one text for the twin in memory and for Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.adapters.redis import dead_letters as redis_dead_letters
from core.adapters.redis.connection import connect
from core.adapters.redis.dead_letters import RedisDeadLetters
from core.domain.dead_letter import Failure
from core.domain.errors import NotFound, Unavailable
from core.ports.dead_letters import DeadLettersPort
from tests.twins import dead_letters as memory_dead_letters
from tests.twins.dead_letters import MemoryDeadLetters

pytestmark = pytest.mark.contract


@pytest.fixture(params=["memory", "redis"])
def letters(request: pytest.FixtureRequest) -> Iterator[DeadLettersPort]:
    if request.param == "memory":
        yield MemoryDeadLetters()
        return
    yield RedisDeadLetters(request.getfixturevalue("redis_client"))


def failure(step: str = "run job", **changes: object) -> Failure:
    known = {"step": step, "error": "OSError", "message": "a b  c", "frames": ("runner/x.py:1 in f",)}
    return Failure.model_validate(known | changes)


def test_a_failure_is_kept_and_the_same_one_counted(letters: DeadLettersPort) -> None:
    """Issue 5: what fails every few seconds is one letter with a count, its last words, and its first moment."""
    first = letters.keep(failure())
    again = letters.keep(failure(message="other words"))
    assert (again.letter_id, again.count) == (first.letter_id, 2)
    assert again.failure.message == "other words"
    assert again.first_at == first.first_at
    assert again.last_at >= first.last_at
    assert letters.get(first.letter_id) == again


def test_the_latest_come_first(letters: DeadLettersPort) -> None:
    for step in ("a", "b", "c", "a"):
        letters.keep(failure(step))
    page = letters.page(limit=2)
    assert ([letter.failure.step for letter in page.letters], page.total) == (["a", "c"], 3)
    assert [letter.failure.step for letter in letters.page(offset=2).letters] == ["b"]


def test_a_dropped_one_is_gone(letters: DeadLettersPort) -> None:
    letter_id = letters.keep(failure()).letter_id
    assert [letters.drop(letter_id) for _ in range(2)] == [True, False]
    with pytest.raises(NotFound):
        letters.get(letter_id)
    assert letters.page().total == 0


def test_only_the_newest_are_kept(letters: DeadLettersPort, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that fails in ever new ways fills no memory."""
    for module in (memory_dead_letters, redis_dead_letters):
        monkeypatch.setattr(module, "MOST_KEPT", 3)
    for number in range(5):
        letters.keep(failure(f"step {number}"))
    assert [letter.failure.step for letter in letters.page().letters] == ["step 4", "step 3", "step 2"]
    with pytest.raises(NotFound):
        letters.get(failure("step 0").letter_id)


def test_redis_away_is_unavailable() -> None:
    away = RedisDeadLetters(connect("redis://127.0.0.1:1/0"))
    for call in (away.page, lambda: away.keep(failure()), lambda: away.drop("x")):
        with pytest.raises(Unavailable):
            call()
