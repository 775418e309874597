"""The hourly counters in Redis, as written by `admit.lua`: per user a sorted set of job ids by time."""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files
from typing import Any

import redis

from core.adapters.redis.connection import redis_errors
from core.domain.limits import Allowance, UserLimits
from core.domain.upload_counts import refusals_used_up, uploads_used_up

WINDOW_SECONDS = 3600
KEY = "leaderboard:rate:"
UPLOADS = f"{KEY}uploads:"
REFUSED = f"{KEY}refused_uploads:"
TRIALS = f"{KEY}trials:"
"""Cannot be a user's key, since no user name has a colon; the same holds for the two above."""


@cache
def _take_upload() -> str:
    return (files("core.adapters.redis") / "scripts" / "take_upload.lua").read_text()


class RedisRateLimit:
    """RateLimitPort beside RedisJobStatus, in the same Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def allowance(self, user_id: str, limits: UserLimits) -> Allowance:
        with redis_errors():
            clock: Any = self._redis.time()
            now = clock[0] + clock[1] / 1e6
            posted: Any = self._redis.zrangebyscore(KEY + user_id, now - WINDOW_SECONDS, "+inf", withscores=True)
        remaining = max(0, limits.jobs_per_hour - len(posted))
        renews = math.ceil(min(posted[0][1], now) + WINDOW_SECONDS - now) if posted else 0  # the clock may be set back
        return Allowance(limit=limits.jobs_per_hour, remaining=remaining, renews_in_seconds=renews)

    def refund(self, user_id: str, job_id: str) -> None:
        with redis_errors():
            self._redis.zrem(KEY + user_id, job_id)
            self._redis.zrem(TRIALS + user_id, job_id)

    def take_upload(self, user_id: str, upload_id: str, *, per_hour: int, refused_per_hour: int) -> None:
        with redis_errors():
            script = self._redis.register_script(_take_upload())
            keys = [UPLOADS + user_id, REFUSED + user_id]
            counted, renews, which = script(keys=keys, args=[upload_id, per_hour, refused_per_hour])
        if not counted and which == 1:
            raise uploads_used_up(per_hour, renews)
        if not counted:
            raise refusals_used_up(refused_per_hour, renews)

    def upload_stored(self, user_id: str, upload_id: str) -> None:
        with redis_errors():
            self._redis.zrem(REFUSED + user_id, upload_id)

    def upload_refused(self, user_id: str, upload_id: str) -> None:
        with redis_errors():
            self._redis.zrem(UPLOADS + user_id, upload_id)

    def give_back_upload(self, user_id: str, upload_id: str) -> None:
        with redis_errors():
            self._redis.zrem(UPLOADS + user_id, upload_id)
            self._redis.zrem(REFUSED + user_id, upload_id)
