"""Sealed results in Redis: a key beside each completed job's hash, written by the ledger's scripts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import redis
import structlog

from core.adapters.redis.connection import redis_errors
from core.adapters.redis.job_record import moment
from core.adapters.redis.job_status import script_text
from core.domain.job import JobState
from core.domain.sealed_result import DamagedSeal, SealedResult, opened, sealed
from core.ports.results import Recorded

PREFIX = "leaderboard:"
BATCH = 500
"""Results per request: at most 128 MB together, usually 1 MB."""

log = structlog.get_logger(__name__)


class RedisResults:
    """ResultsPort beside RedisJobStatus, in the same Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def get(self, job_id: str) -> Recorded | None:
        with redis_errors():
            text: Any = self._redis.get(f"{PREFIX}result:{job_id}")
        return _recorded(job_id, text)

    def of_benchmark(self, benchmark: str, *, known: Collection[str] = ()) -> Mapping[str, Recorded]:
        wanted = [job_id for job_id in self.completed_jobs(benchmark) if job_id not in known]
        found: dict[str, Recorded] = {}
        for batch in _batches(wanted):
            with redis_errors():
                texts: Any = self._redis.mget([f"{PREFIX}result:{job_id}" for job_id in batch])
            pairs = ((job_id, _recorded(job_id, text)) for job_id, text in zip(batch, texts, strict=True))
            found.update({job_id: one for job_id, one in pairs if one})
        return found

    def completed_jobs(self, benchmark: str) -> Sequence[str]:
        with redis_errors():
            found: Any = self._redis.zrange(f"{PREFIX}jobs:benchmark:{benchmark}:state:{JobState.COMPLETED}", 0, -1)
        return tuple(found)

    def unsealed(self) -> Sequence[str]:
        with redis_errors():
            ids: Any = self._redis.zrange(f"{PREFIX}jobs:state:{JobState.COMPLETED}", 0, -1)
        found: list[str] = []
        for batch in _batches(ids):
            with redis_errors(), self._redis.pipeline(transaction=False) as together:
                for job_id in batch:
                    together.exists(f"{PREFIX}job:{job_id}")
                    together.exists(f"{PREFIX}result:{job_id}")
                answers = together.execute()
            pairs = zip(batch, answers[::2], answers[1::2], strict=True)
            found += [job_id for job_id, known, has_result in pairs if known and not has_result]
        return found

    def seal_old(self, result: SealedResult) -> bool:
        seal = sealed(result)
        with redis_errors():
            script = self._redis.register_script(script_text("seal_old"))
            return bool(script(args=[result.job_id, result.run_id, seal.text, seal.sha256]))

    def ask_rescore(self, job_id: str) -> None:
        with redis_errors():
            self._redis.zadd(f"{PREFIX}rescores", {job_id: 0}, nx=True)

    def take_rescore(self, seconds: float) -> str | None:
        with redis_errors():
            found: Any = self._redis.register_script(script_text("take_rescore"))(args=[seconds])
        return str(found) if found else None

    def end_rescore(self, job_id: str) -> None:
        with redis_errors():
            self._redis.zrem(f"{PREFIX}rescores", job_id)

    def reseal(self, sha256: str, result: SealedResult) -> bool:
        seal = sealed(result)
        with redis_errors():
            script = self._redis.register_script(script_text("reseal"))
            return bool(script(args=[result.job_id, sha256, seal.text, seal.sha256]))

    def owners(self, run_ids: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for batch in _batches(run_ids):
            with redis_errors():
                jobs: Any = self._redis.mget([f"{PREFIX}run:{run_id}" for run_id in batch])
            found.update({run_id: job_id for run_id, job_id in zip(batch, jobs, strict=True) if job_id})
        return found


def _batches(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _recorded(job_id: str, stored: str | None) -> Recorded | None:
    """Parses a line with the job's end and the text's SHA-256, then the text. None and a warning if damaged."""
    if not stored:
        return None
    head, _line, text = stored.partition("\n")
    stamp, _blank, sha256 = head.partition(" ")
    try:
        result = opened(text, sha256)
        if result.job_id != job_id:
            raise DamagedSeal("the stored result is another job's")
        return Recorded(result=result, finished_at=moment(stamp), sha256=sha256)
    except ValueError as error:
        log.warning("sealed result damaged", job_id=job_id, error=str(error))
        return None
