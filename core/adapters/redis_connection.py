"""One way to Redis: short deadlines, and its errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from core.domain.errors import Unavailable

TIMEOUT_SECONDS = 1.5


def connect(url: str) -> redis.Redis:
    """A client whose every call ends within `TIMEOUT_SECONDS`; it lives as long as its process."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        health_check_interval=30,
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Redis's errors become Unavailable."""
    try:
        yield
    except redis.RedisError as error:
        raise Unavailable("The job ledger (Redis)", type(error).__name__) from error
