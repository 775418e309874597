"""Whether Redis takes what it is given: one whose memory or disk is full still answers a ping."""

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
    """Lives as long as its client. Anybody may ask for it, so however many do, one write is made in two seconds."""

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
        """Of the last look, or of a new one when that is old; empty when the write was taken."""
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
