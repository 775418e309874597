"""Old records of the ledger, and its pinned jobs; each removal is one atomic script."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import redis

from core.adapters.redis.connection import redis_errors
from core.adapters.redis.entry_marks import NAMES as MARK_NAMES
from core.adapters.redis.entry_marks import PREFIX as MARKS
from core.adapters.redis.entry_marks import REVISION, fields_of
from core.domain.errors import NotFinished, NotFound
from core.domain.job import FINAL, JobState

PREFIX = "leaderboard:"
PINNED = PREFIX + "pinned"
RETAIN_SECONDS = 90 * 24 * 3600
BATCH = 500

# KEYS: record, pins, result; ARGV: job, final states. Removes an ended, unpinned record and the keys that belong to it.
FORGET = """
local fields = redis.call('HMGET', KEYS[1], 'status', 'user_id', 'benchmark', 'run_id', 'begun_run')
if not fields[1] or redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return false end
local final = false
for i = 2, #ARGV do final = final or fields[1] == ARGV[i] end
if not final then return false end
local all, own = 'leaderboard:jobs', 'leaderboard:jobs:user:' .. fields[2]
local suffix = ':benchmark:' .. fields[3]
for _, list in ipairs({ all, own, all .. suffix, own .. suffix }) do
  redis.call('ZREM', list, ARGV[1])
  redis.call('ZREM', list .. ':state:' .. fields[1], ARGV[1])
end
redis.call('DEL', KEYS[1], KEYS[3])
local marks = 'leaderboard:marks:' .. fields[3]
for _, name in ipairs({ MARKS }) do redis.call('HDEL', marks, ARGV[1] .. ':' .. name) end
for i = 4, 5 do if fields[i] then redis.call('DEL', 'leaderboard:run:' .. fields[i]) end end
return true
""".replace("MARKS", ", ".join(f"'{name}'" for name in MARK_NAMES))
# KEYS: record, pins, result; ARGV: job, keep (0/1), seconds for which a record stays (0: for ever), final states. The
# keys that belong to the record stay as long.
PIN = """
local fields = redis.call('HMGET', KEYS[1], 'status', 'finished_at', 'run_id')
local keys = { KEYS[1], KEYS[3] }
if fields[3] then keys[3] = 'leaderboard:run:' .. fields[3] end
if not fields[1] then return 'missing' end
local final = false
for i = 4, #ARGV do final = final or fields[1] == ARGV[i] end
if not final then return 'running' end
if ARGV[2] == '1' then
  redis.call('SADD', KEYS[2], ARGV[1])
  for _, key in ipairs(keys) do redis.call('PERSIST', key) end
else
  redis.call('SREM', KEYS[2], ARGV[1])
  if tonumber(ARGV[3]) == 0 then return 'ok' end
  local last = math.floor(tonumber(fields[2]) + tonumber(ARGV[3]))
  for _, key in ipairs(keys) do redis.call('EXPIREAT', key, last) end
end
return 'ok'
"""


class RedisOldRecords:
    """OldRecordsPort beside RedisJobStatus, in the same Redis. `for_ever`: records of this site never expire."""

    def __init__(self, client: redis.Redis, *, for_ever: bool = False) -> None:
        self._redis = client
        self._lasting_seconds = 0 if for_ever else RETAIN_SECONDS

    def expired(self, before: datetime, *, limit: int) -> Sequence[str]:
        pinned, found = self.pinned(), []
        for job_id, finished in self._fields(self._ids(f"{PREFIX}jobs", "-inf", before.timestamp()), "finished_at"):
            if finished and float(finished) < before.timestamp() and job_id not in pinned:
                found.append(job_id)
            if len(found) >= limit:
                break
        return found

    def forget(self, job_id: str) -> None:
        with redis_errors():
            self._redis.register_script(FORGET)(keys=_keys(job_id), args=[job_id, *FINAL])

    def trim(self, before: datetime) -> int:
        """Reads only the old entries of every list, so a round's cost depends on them, not on all entries."""
        trimmed = 0
        with redis_errors():
            for key in self._redis.scan_iter(match=f"{PREFIX}jobs*", count=1000, _type="zset"):
                gone = [
                    one
                    for one, known in self._fields(self._ids(key, "-inf", before.timestamp()), "job_id")
                    if not known
                ]
                trimmed += len(gone)
                for start in range(0, len(gone), BATCH):
                    self._redis.zrem(key, *gone[start : start + BATCH])
        return trimmed + self._trim_marks()

    def _trim_marks(self) -> int:
        """Removes marks of entries whose job's record has expired. Returns of how many entries."""
        trimmed = 0
        with redis_errors():
            for key in self._redis.scan_iter(match=f"{MARKS}*", count=1000, _type="hash"):
                fields: Any = self._redis.hkeys(key)
                marked = sorted({field.partition(":")[0] for field in fields if field != REVISION})
                gone = [job_id for job_id, known in self._fields(iter(marked), "job_id") if not known]
                trimmed += len(gone)
                for start in range(0, len(gone), BATCH):
                    self._redis.hdel(key, *fields_of(iter(gone[start : start + BATCH])))
        return trimmed

    def needed_submissions(self, since: datetime) -> Collection[str]:
        states = (JobState.PENDING, JobState.RUNNING)
        ids = [one for state in states for one in self._ids(f"{PREFIX}jobs:state:{state}", "-inf", "+inf")]
        ids += [*self._ids(f"{PREFIX}jobs", since.timestamp(), "+inf"), *self.pinned()]
        return {submission for _job, submission in self._fields(iter(ids), "submission_id") if submission}

    def known(self, job_ids: Sequence[str]) -> Collection[str]:
        return {job_id for job_id, known in self._fields(iter(job_ids), "job_id") if known}

    def pin(self, job_id: str) -> None:
        self._pin(job_id, keep=True)

    def unpin(self, job_id: str) -> None:
        self._pin(job_id, keep=False)

    def _pin(self, job_id: str, *, keep: bool) -> None:
        with redis_errors():
            answer = self._redis.register_script(PIN)(
                keys=_keys(job_id), args=[job_id, int(keep), self._lasting_seconds, *FINAL]
            )
        if answer == "missing":
            raise NotFound("job", job_id)
        if answer == "running":
            raise NotFinished("Only a job that has ended can be pinned: nothing of it goes before.")

    def keep_all(self) -> int:
        kept, runs = 0, self._fields(self._ids(f"{PREFIX}jobs", "-inf", "+inf"), "run_id")
        while batch := list(islice(runs, BATCH)):
            with redis_errors():
                pipe = self._redis.pipeline(transaction=False)
                for job_id, run_id in batch:
                    pipe.persist(f"{PREFIX}job:{job_id}")
                    pipe.persist(f"{PREFIX}result:{job_id}")
                    pipe.persist(f"{PREFIX}run:{run_id}")
                kept += sum(pipe.execute()[::3])
        return kept

    def pinned(self) -> Collection[str]:
        with redis_errors():
            found: Any = self._redis.smembers(PINNED)
        return set(found)

    def _ids(self, key: str, low: str | float, high: str | float) -> Iterator[str]:
        """Members by score, one batch at a time; concurrent removals shift the rest, which the next round finds."""
        start = 0
        while True:
            with redis_errors():
                found: Any = self._redis.zrangebyscore(key, low, high, start=start, num=BATCH)
            yield from found
            if len(found) < BATCH:
                return
            start += BATCH

    def _fields(self, job_ids: Iterator[str], name: str) -> Iterator[tuple[str, str | None]]:
        """One field of each record, one batch at a time; None without a record."""
        while batch := list(islice(job_ids, BATCH)):
            with redis_errors():
                pipe = self._redis.pipeline(transaction=False)
                for job_id in batch:
                    pipe.hget(f"{PREFIX}job:{job_id}", name)
                values = pipe.execute()
            yield from zip(batch, values, strict=True)


def _keys(job_id: str) -> list[str]:
    return [f"{PREFIX}job:{job_id}", PINNED, f"{PREFIX}result:{job_id}"]
