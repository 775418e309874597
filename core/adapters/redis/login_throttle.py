"""Counters of login attempts in Redis; keys are hashes, since whatever is typed as a name must not be stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from core.adapters.redis.connection import redis_errors

KEY = "leaderboard:login:"

# KEYS: counters; ARGV: the window in seconds, then each counter's limit. A counter that would outlast its window,
# because the clock was set back, is shortened to it.
TAKE = """
local wait = 0
for i, key in ipairs(KEYS) do
  if redis.call('PTTL', key) > ARGV[1] * 1000 then redis.call('EXPIRE', key, ARGV[1]) end
  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i + 1]) then
    wait = math.max(wait, redis.call('PTTL', key), 1)
  end
end
if wait > 0 then return wait end
for _, key in ipairs(KEYS) do
  if redis.call('INCR', key) == 1 then redis.call('EXPIRE', key, ARGV[1]) end
end
return 0
"""
GIVE_BACK = """
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end
end
"""


class RedisLoginThrottle:
    """LoginThrottlePort on the ledger's Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def take(self, budgets: Mapping[str, int], *, window_seconds: int) -> int:
        with redis_errors():
            take = self._redis.register_script(TAKE)
            milliseconds: Any = take(keys=_keys(budgets), args=[window_seconds, *budgets.values()])
        return -(-int(milliseconds) // 1000)

    def give_back(self, budgets: Mapping[str, int]) -> None:
        with redis_errors():
            self._redis.register_script(GIVE_BACK)(keys=_keys(budgets))


def _keys(budgets: Mapping[str, int]) -> Sequence[str]:
    return [KEY + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest() for name in budgets]
