"""The contract of counting attempts, one text for the twin in memory and for Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from core.adapters.redis.connection import connect
from core.adapters.redis.login_throttle import RedisLoginThrottle
from core.domain.errors import Unavailable
from core.ports.login_throttle import LoginThrottlePort
from tests.twins.login_throttle import MemoryLoginThrottle

pytestmark = pytest.mark.contract


@pytest.fixture(params=["memory", "redis"])
def throttle(request: pytest.FixtureRequest) -> Iterator[LoginThrottlePort]:
    if request.param == "memory":
        yield MemoryLoginThrottle()
        return
    yield RedisLoginThrottle(request.getfixturevalue("redis_client"))


def test_attempts_up_to_the_limit_pass(throttle: LoginThrottlePort) -> None:
    """AUT-2: the next one is told how long to wait, at most the window."""
    assert [throttle.take({"a": 3}, window_seconds=60) for _ in range(3)] == [0, 0, 0]
    assert 0 < throttle.take({"a": 3}, window_seconds=60) <= 60
    assert throttle.take({"b": 3}, window_seconds=60) == 0


def test_a_refused_attempt_counts_nowhere(throttle: LoginThrottlePort) -> None:
    """Whoever is refused uses up nothing of the other counters, and does not make the wait longer."""
    throttle.take({"a": 1, "b": 2}, window_seconds=60)
    for _ in range(5):
        assert throttle.take({"a": 1, "b": 2}, window_seconds=60)
    assert throttle.take({"b": 2}, window_seconds=60) == 0
    assert throttle.take({"b": 2}, window_seconds=60)


def test_the_window_ends(throttle: LoginThrottlePort) -> None:
    """Nobody is kept out longer than a window, however often they are refused in it."""
    throttle.take({"a": 1}, window_seconds=1)
    assert throttle.take({"a": 1}, window_seconds=1) == 1
    time.sleep(1.1)
    assert throttle.take({"a": 1}, window_seconds=1) == 0


def test_an_attempt_given_back_is_free_again(throttle: LoginThrottlePort) -> None:
    """A right password costs nothing; nobody gains attempts by giving back more than was taken."""
    throttle.take({"a": 1}, window_seconds=60)
    for _ in range(3):
        throttle.give_back({"a": 1})
    assert throttle.take({"a": 1}, window_seconds=60) == 0
    assert throttle.take({"a": 1}, window_seconds=60)


def test_parallel_attempts_pass_exactly_the_limit(throttle: LoginThrottlePort) -> None:
    """Counting is one step: guesses at the same moment gain nothing."""
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _number: throttle.take({"a": 5, "b": 100}, window_seconds=60), range(50)))
    assert waits.count(0) == 5


def test_counters_vanish_and_name_nobody(redis_client: redis.Redis) -> None:
    """What strangers type is not kept, and a counter without an end cannot arise."""
    throttle = RedisLoginThrottle(redis_client)
    throttle.take({"name somebody": 1, "name \ud800\0": 1}, window_seconds=30)
    throttle.give_back({"gone": 1})
    keys = redis_client.keys("*")
    assert len(keys) == 2
    assert not any("somebody" in key for key in keys)
    assert all(0 < redis_client.ttl(key) <= 30 for key in keys)


def test_redis_away_is_unavailable() -> None:
    """No foreign error leaves the adapter."""
    away = RedisLoginThrottle(connect("redis://127.0.0.1:1/0"))
    for call in (lambda: away.take({"a": 1}, window_seconds=1), lambda: away.give_back({"a": 1})):
        with pytest.raises(Unavailable):
            call()


def test_attempts_of_tomorrow_are_waited_for_no_longer_than_the_window(redis_client: redis.Redis) -> None:
    """Redis's clock was set back by a day: nobody is locked out for that."""
    throttle = RedisLoginThrottle(redis_client)
    assert throttle.take({"ann": 1}, window_seconds=60) == 0
    for key in redis_client.scan_iter():
        redis_client.expire(key, 86_400 + 60)
    assert 0 < throttle.take({"ann": 1}, window_seconds=60) <= 60
