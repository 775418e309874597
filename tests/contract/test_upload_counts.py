"""Uploads are counted by the hour: one text for the twin in memory and for Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.adapters import redis_rate_limit
from core.adapters.memory_job_status import MemoryJobStatus
from core.adapters.redis_rate_limit import UPLOADS, RedisRateLimit
from core.domain.errors import LimitReached
from core.ports.rate_limit import RateLimitPort

pytestmark = pytest.mark.contract


@pytest.fixture(params=["memory", "redis"])
def rates(request: pytest.FixtureRequest) -> RateLimitPort:
    return MemoryJobStatus() if request.param == "memory" else RedisRateLimit(request.getfixturevalue("redis_client"))


def taken(rates: RateLimitPort, number: int, per_hour: int = 3, user: str = "ann") -> bool:
    try:
        rates.take_upload(user, f"{number:032x}", per_hour=per_hour)
    except LimitReached:
        return False
    return True


def test_so_many_and_no_more_for_each_user(rates: RateLimitPort) -> None:
    """The refusal says when the next place is free; another user has an hour of their own."""
    assert [taken(rates, number) for number in range(3)] == [True] * 3
    with pytest.raises(LimitReached, match="uploaded 3 submissions") as refused:
        rates.take_upload("ann", "f" * 32, per_hour=3)
    assert 3500 < refused.value.retry_after_seconds <= 3600
    assert taken(rates, 0, user="bob")


def test_an_upload_that_stored_nothing_gives_its_place_back(rates: RateLimitPort) -> None:
    """Typing errors use nothing up; giving back twice or what was never taken is harmless."""
    assert [taken(rates, number) for number in range(4)] == [True, True, True, False]
    for upload in (1, 1, 9):
        rates.give_back_upload("ann", f"{upload:032x}")
    assert [taken(rates, number) for number in (5, 6)] == [True, False]


def test_parallel_uploads_cannot_slip_through(rates: RateLimitPort) -> None:
    """Counting and checking are one step."""
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda number: taken(rates, number, per_hour=5), range(40))) == 5


def test_an_hour_later_the_place_is_free(monkeypatch: pytest.MonkeyPatch, redis_client: object) -> None:
    """The hour slides."""
    now = [1000.0]
    twin = MemoryJobStatus(clock=lambda: now[0])
    assert taken(twin, 1, per_hour=1)
    now[0] += 3601
    assert taken(twin, 2, per_hour=1)
    real = RedisRateLimit(redis_client)  # type: ignore[arg-type]
    assert taken(real, 1, per_hour=1)
    redis_client.zadd(f"{UPLOADS}ann", {f"{1:032x}": 1.0})  # type: ignore[attr-defined]
    assert taken(real, 2, per_hour=1)


@pytest.mark.parametrize("which", ["memory", "redis"])
def test_uploads_of_tomorrow_count_for_an_hour(
    which: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was set back by a day: nobody waits for that."""
    now = [86_400.0]
    if which == "memory":
        rates: RateLimitPort = MemoryJobStatus(clock=lambda: now[0])
    else:
        text = redis_rate_limit._take_upload()
        monkeypatch.setattr(
            redis_rate_limit, "_take_upload", lambda: text.replace("redis.call('TIME')", f"{{ {int(now[0])}, 0 }}")
        )
        rates = RedisRateLimit(request.getfixturevalue("redis_client"))
    assert taken(rates, 1, per_hour=1)
    now[0] = 1000.0
    with pytest.raises(LimitReached) as refused:
        rates.take_upload("ann", "f" * 32, per_hour=1)
    assert refused.value.retry_after_seconds <= 3601
    now[0] += 3602
    assert taken(rates, 2, per_hour=1)
