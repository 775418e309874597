"""Failed steps in Redis: a hash of letters, and a sorted set of the time when each last occurred."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import redis

from core.adapters.redis.connection import redis_errors
from core.domain.dead_letter import KEPT_DAYS, MOST_KEPT, DeadLetter, Failure
from core.domain.errors import NotFound
from core.ports.dead_letters import LetterPage

LETTERS = "leaderboard:dead-letters"
TIMES = "leaderboard:dead-letters:times"

# KEYS: letters, times; ARGV: id, failure, most letters kept, seconds for which a letter is kept. A letter is its count,
# the time of its first failure, and the failure.
KEEP = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local count, first = 0, string.format('%.6f', now)
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then count, first = string.match(known, '^(%d+) (%S+) ') end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %s ', count + 1, first) .. ARGV[2])
redis.call('ZADD', KEYS[2], string.format('%.6f', now), ARGV[1])
local function forget(ids)
  for _, id in ipairs(ids) do redis.call('HDEL', KEYS[1], id); redis.call('ZREM', KEYS[2], id) end
end
forget(redis.call('ZRANGE', KEYS[2], 0, -tonumber(ARGV[3]) - 1))
forget(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[4]), 'LIMIT', 0, 1000))
"""


class RedisDeadLetters:
    """DeadLettersPort on the ledger's Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def keep(self, failure: Failure) -> DeadLetter:
        with redis_errors():
            self._redis.register_script(KEEP)(
                keys=[LETTERS, TIMES],
                args=[failure.letter_id, failure.model_dump_json(), MOST_KEPT, KEPT_DAYS * 86400],
            )
        return self.get(failure.letter_id)

    def get(self, letter_id: str) -> DeadLetter:
        with redis_errors():
            text: Any = self._redis.hget(LETTERS, letter_id)
            at: Any = self._redis.zscore(TIMES, letter_id)
        if text is None or at is None:
            raise NotFound("dead letter", letter_id)
        return _letter(letter_id, text, float(at))

    def page(self, *, limit: int = 50, offset: int = 0) -> LetterPage:
        with redis_errors():
            total: Any = self._redis.zcard(TIMES)
            ids: Any = self._redis.zrevrange(TIMES, offset, offset + limit - 1, withscores=True)
            texts: Any = self._redis.hmget(LETTERS, [letter_id for letter_id, _at in ids]) if ids else []
        found = [_letter(letter_id, text, at) for (letter_id, at), text in zip(ids, texts, strict=True) if text]
        return LetterPage(letters=found, total=int(total))

    def drop(self, letter_id: str) -> bool:
        with redis_errors():
            pipe = self._redis.pipeline()
            pipe.hdel(LETTERS, letter_id)
            pipe.zrem(TIMES, letter_id)
            return bool(pipe.execute()[0])


def _letter(letter_id: str, text: str, at: float) -> DeadLetter:
    count, first, failure = text.split(" ", 2)
    return DeadLetter(
        letter_id=letter_id,
        failure=Failure.model_validate_json(failure),
        count=int(count),
        first_at=datetime.fromtimestamp(float(first), UTC),
        last_at=datetime.fromtimestamp(at, UTC),
    )
