"""One way to Redis: short deadlines, and its errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.domain.errors import Unavailable

TIMEOUT_SECONDS = 1.5


def no_retry() -> Retry:
    """Who asks is told within the time: a Redis that hangs is not waited for twice, and no script is sent twice.

    A connection that Redis has closed meanwhile is noticed by the pool and replaced without this.
    """
    return Retry(NoBackoff(), 0)


def connect(url: str) -> redis.Redis:
    """A client whose every call ends within `TIMEOUT_SECONDS`; it lives as long as its process."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=no_retry(),
        health_check_interval=30,
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Redis's errors become Unavailable."""
    try:
        yield
    except redis.RedisError as error:
        raise Unavailable("The job ledger (Redis)", type(error).__name__) from error
