"""Checks whether Redis accepts writes: a Redis whose memory or disk is full still answers a ping."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import redis

from core.adapters.redis.connection import redis_errors
from core.domain.errors import Unavailable

KEY = "leaderboard:writable"
FRESH_SECONDS = 2.0
GONE_SECONDS = 60


class WriteCheck:
    """Lives as long as its client. At most one write is made in two seconds, however many callers ask."""

    def __init__(self, client: redis.Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis, self._clock = client, clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._refusal = ""

    def __call__(self) -> None:
        """Raises Unavailable."""
        with redis_errors():
            self._redis.ping()
        refusal = self._last_refusal()
        if refusal:
            raise Unavailable("The job ledger (Redis)", refusal)

    def _last_refusal(self) -> str:
        """The refusal of the last check, or of a new one if that is old; empty if the write was accepted."""
        with self._lock:
            if self._clock() - self._looked >= FRESH_SECONDS:
                self._refusal = self._look()
                self._looked = self._clock()
            return self._refusal

    def _look(self) -> str:
        try:
            self._redis.set(KEY, "1", ex=GONE_SECONDS)
        except redis.RedisError as error:
            return type(error).__name__
        return ""
