"""Sessions in Redis: one key each, which expires with the session, and per user a sorted set of sessions by expiry."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import redis

from core.adapters.redis.account_record import session_from, session_text
from core.adapters.redis.connection import redis_errors
from core.domain.session import Session

KEY = "leaderboard:session:"
INDEX = "leaderboard:sessions:"


class RedisSessions:
    """SessionsPort on the ledger's Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def open(self, token_hash: str, session: Session, *, most: int) -> None:
        now, ends = datetime.now(UTC).timestamp(), session.expires_at.timestamp()
        lasts = max(1, math.ceil(ends - now))
        index = INDEX + session.user_id.lower()
        with redis_errors():
            pipe = self._redis.pipeline()
            pipe.set(KEY + token_hash, session_text(session), ex=lasts)
            pipe.zadd(index, {token_hash: ends})
            pipe.zremrangebyscore(index, "-inf", now)
            pipe.zrange(index, 0, -(most + 1))
            pipe.zremrangebyrank(index, 0, -(most + 1))
            pipe.expire(index, lasts, gt=True)
            pipe.expire(index, lasts, nx=True)
            too_many: Any = pipe.execute()[3]
            self._drop(too_many)

    def find(self, token_hash: str) -> Session | None:
        with redis_errors():
            text: Any = self._redis.get(KEY + token_hash)
        return session_from(text) if text else None

    def close(self, token_hash: str) -> None:
        session = self.find(token_hash)
        if session is None:
            return
        with redis_errors():
            pipe = self._redis.pipeline()
            pipe.delete(KEY + token_hash)
            pipe.zrem(INDEX + session.user_id.lower(), token_hash)
            pipe.execute()

    def close_all(self, user_id: str) -> None:
        with redis_errors():
            index = INDEX + user_id.lower()
            hashes: Any = self._redis.zrange(index, 0, -1)
            self._drop(hashes)
            self._redis.delete(index)

    def _drop(self, hashes: list[str]) -> None:
        if hashes:
            self._redis.delete(*(KEY + token_hash for token_hash in hashes))
