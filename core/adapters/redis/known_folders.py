"""Marked folders in Redis: a set of their keys."""

from __future__ import annotations

import redis

from core.adapters.redis.connection import redis_errors

KEY = "leaderboard:folders"


class RedisFolders:
    """FoldersPort on the ledger's Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def is_known(self, key: str) -> bool:
        with redis_errors():
            return bool(self._redis.sismember(KEY, key))

    def note(self, key: str) -> None:
        with redis_errors():
            self._redis.sadd(KEY, key)
