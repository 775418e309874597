"""Marks of entries in Redis: a hash for each benchmark, with a field for each mark, so that no change loses another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import redis

from core.adapters.redis.connection import redis_errors
from core.adapters.redis.job_status import script_text
from core.domain.entry_marks import UNMARKED, EntryMarks
from core.domain.errors import NotFound

PREFIX = "leaderboard:marks:"
REVISION = "revision"
NAMES = tuple(field.name for field in fields(EntryMarks))
FLAGS = frozenset(name for name in NAMES if isinstance(getattr(UNMARKED, name), bool))
SET = "1"


class RedisEntryMarks:
    """EntryMarksPort beside RedisJobStatus, in the same Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def of_benchmark(self, benchmark: str) -> Mapping[str, EntryMarks]:
        with redis_errors():
            stored: Any = self._redis.hgetall(PREFIX + benchmark)
        found: dict[str, dict[str, str]] = {}
        for key, text in stored.items():
            job_id, _colon, name = key.partition(":")
            if name in NAMES:
                found.setdefault(job_id, {})[name] = text
        return {job_id: _marks(told) for job_id, told in found.items()}

    def get(self, benchmark: str, job_id: str) -> EntryMarks:
        with redis_errors():
            values: Any = self._redis.hmget(PREFIX + benchmark, [f"{job_id}:{name}" for name in NAMES])
        return _marks({name: text for name, text in zip(NAMES, values, strict=True) if text})

    def put(self, benchmark: str, job_id: str, **changed: str | bool) -> EntryMarks:
        texts = {name: value if isinstance(value, str) else SET * value for name, value in changed.items()}
        pairs = [part for pair in texts.items() for part in pair]
        with redis_errors():
            is_known = self._redis.register_script(script_text("mark"))(args=[job_id, benchmark, *pairs])
        if not is_known:
            raise NotFound("job", job_id)
        return self.get(benchmark, job_id)

    def revision(self, benchmark: str) -> int:
        with redis_errors():
            number: Any = self._redis.hget(PREFIX + benchmark, REVISION)
        return int(number or 0)


def fields_of(job_ids: Iterator[str]) -> Iterator[str]:
    """The hash fields that entries of these jobs may have."""
    return (f"{job_id}:{name}" for job_id in job_ids for name in NAMES)


def _marks(told: Mapping[str, str]) -> EntryMarks:
    values: dict[str, Any] = {name: text == SET if name in FLAGS else text for name, text in told.items()}
    return EntryMarks(**values)
