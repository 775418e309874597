"""Connections to Redis with short deadlines, and Redis's errors as ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.domain.errors import Unavailable

TIMEOUT_SECONDS = 1.5


def no_retry() -> Retry:
    """No retries: callers get an answer in time, a hanging Redis is not waited for twice, and no script is sent twice.

    The pool itself notices and replaces connections that Redis has closed.
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
    """Turns Redis's errors into Unavailable."""
    try:
        yield
    except redis.RedisError as error:
        raise Unavailable("The job ledger (Redis)", type(error).__name__) from error
