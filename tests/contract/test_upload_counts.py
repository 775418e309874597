"""Uploads are counted by the hour, refused ones apart: one text for the twin in memory and for Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.adapters.redis import rate_limit as redis_rate_limit
from core.adapters.redis.rate_limit import REFUSED, UPLOADS, RedisRateLimit
from core.domain.errors import LimitReached
from core.ports.rate_limit import RateLimitPort
from tests.twins.job_status import MemoryJobStatus

pytestmark = pytest.mark.contract


@pytest.fixture(params=["memory", "redis"])
def rates(request: pytest.FixtureRequest) -> RateLimitPort:
    return MemoryJobStatus() if request.param == "memory" else RedisRateLimit(request.getfixturevalue("redis_client"))


def taken(rates: RateLimitPort, number: int, per_hour: int = 3, user: str = "ann", refused: int = 1000) -> bool:
    try:
        rates.take_upload(user, f"{number:032x}", per_hour=per_hour, refused_per_hour=refused)
    except LimitReached:
        return False
    return True


def test_so_many_and_no_more_for_each_user(rates: RateLimitPort) -> None:
    """The refusal says when the next place is free; another user has an hour of their own."""
    assert [taken(rates, number) for number in range(3)] == [True] * 3
    with pytest.raises(LimitReached, match="uploaded 3 submissions") as refused:
        rates.take_upload("ann", "f" * 32, per_hour=3, refused_per_hour=10)
    assert 3500 < refused.value.retry_after_seconds <= 3600
    assert taken(rates, 0, user="bob")


def test_an_upload_that_stored_nothing_takes_no_place_among_the_stored(rates: RateLimitPort) -> None:
    """Typing errors use nothing up; saying so twice, or of what was never taken, is harmless."""
    assert [taken(rates, number) for number in range(4)] == [True, True, True, False]
    for upload in (1, 1, 9):
        rates.upload_refused("ann", f"{upload:032x}")
    assert [taken(rates, number) for number in (5, 6)] == [True, False]


def test_refused_uploads_have_an_hour_of_their_own(rates: RateLimitPort) -> None:
    """DOR-2: over it nothing more is taken, with a sentence and a time; another user is not concerned."""
    for number in range(3):
        assert taken(rates, number, per_hour=2, refused=3)
        rates.upload_refused("ann", f"{number:032x}")
    with pytest.raises(LimitReached, match=r"3 of your uploads in the last hour were refused") as refused:
        rates.take_upload("ann", "f" * 32, per_hour=2, refused_per_hour=3)
    assert 3500 < refused.value.retry_after_seconds <= 3600
    assert taken(rates, 0, user="bob", refused=3)


def test_a_stored_upload_takes_no_place_among_the_refused(rates: RateLimitPort) -> None:
    """However many are stored, as many may be refused."""
    for number in range(9):
        assert taken(rates, number, per_hour=10, refused=1)
        rates.upload_stored("ann", f"{number:032x}")
    assert taken(rates, 9, per_hour=10, refused=1)
    rates.upload_refused("ann", f"{9:032x}")
    assert not taken(rates, 10, per_hour=10, refused=1)


def test_what_the_platform_failed_counts_nowhere(rates: RateLimitPort) -> None:
    """A full disk is nobody's mistake."""
    for number in range(4):
        assert taken(rates, number, per_hour=1, refused=1)
        rates.give_back_upload("ann", f"{number:032x}")


@pytest.mark.parametrize(("per_hour", "refused"), [(5, 1000), (1000, 5)])
def test_parallel_uploads_cannot_slip_through(rates: RateLimitPort, per_hour: int, refused: int) -> None:
    """Counting and checking are one step, in either count."""
    with ThreadPoolExecutor(16) as pool:
        found = pool.map(lambda number: taken(rates, number, per_hour=per_hour, refused=refused), range(40))
    assert sum(found) == 5


def test_an_hour_later_the_place_is_free(redis_client: object) -> None:
    """The hour slides."""
    now = [1000.0]
    twin = MemoryJobStatus(clock=lambda: now[0])
    assert taken(twin, 1, per_hour=1, refused=1)
    now[0] += 3601
    assert taken(twin, 2, per_hour=1, refused=1)
    real = RedisRateLimit(redis_client)  # type: ignore[arg-type]
    assert taken(real, 1, per_hour=1, refused=1)
    for key in (UPLOADS, REFUSED):
        redis_client.zadd(f"{key}ann", {f"{1:032x}": 1.0})  # type: ignore[attr-defined]
    assert taken(real, 2, per_hour=1, refused=1)


@pytest.mark.parametrize("which", ["memory", "redis"])
@pytest.mark.parametrize(("per_hour", "refused"), [(1, 1000), (1000, 1)])
def test_uploads_of_tomorrow_count_for_an_hour(
    which: str, per_hour: int, refused: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
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
    assert taken(rates, 1, per_hour=per_hour, refused=refused)
    now[0] = 1000.0
    with pytest.raises(LimitReached) as caught:
        rates.take_upload("ann", "f" * 32, per_hour=per_hour, refused_per_hour=refused)
    assert caught.value.retry_after_seconds <= 3601
    now[0] += 3602
    assert taken(rates, 2, per_hour=per_hour, refused=refused)
