"""The ledger under test: the twin in memory, then the real one in Redis, both with a clock that a test sets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from core.adapters.redis import job_status as redis_job_status
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.rate_limit import RedisRateLimit
from core.ports.job_status import JobStatusPort
from core.ports.rate_limit import RateLimitPort
from tests.twins.job_status import MemoryJobStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class AnyLedger:
    """A ledger and what counts in it."""

    jobs: JobStatusPort
    rates: RateLimitPort
    set_clock: Callable[[float], None]
    """By so many seconds from the true time."""


@pytest.fixture(params=["memory", "redis"])
def any_ledger(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AnyLedger:
    if request.param == "memory":
        twin = MemoryJobStatus()
        return AnyLedger(
            jobs=twin, rates=twin, set_clock=lambda seconds: setattr(twin, "clock", lambda: time.time() + seconds)
        )
    client = request.getfixturevalue("redis_client")
    text = redis_job_status.script_text

    def set_clock(seconds: float) -> None:
        """As if TIME had answered so, for every script of the ledger."""
        shifted = f"(function() local t = redis.call('TIME'); return {{ t[1] + ({seconds}), t[2] }} end)()"

        def shifted_text(name: str) -> str:
            assert text(name).count("redis.call('TIME')") == 1
            return text(name).replace("redis.call('TIME')", shifted)

        monkeypatch.setattr(redis_job_status, "script_text", shifted_text)

    return AnyLedger(jobs=RedisJobStatus(client), rates=RedisRateLimit(client), set_clock=set_clock)
