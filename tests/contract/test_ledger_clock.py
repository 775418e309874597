"""The ledger's own clock, set forth and back by a day: no job waits for a moment that the clock once named (R20)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from core.adapters import redis_job_status
from core.adapters.memory_job_status import MemoryJobStatus
from core.adapters.redis_job_status import RedisJobStatus
from core.domain.job import CANCEL_SECONDS, LONGEST_LEASE_SECONDS, Claim, JobRequest, JobState, Outcome
from core.domain.limits import UserLimits
from core.ports.job_status import JobStatusPort, Swept

pytestmark = pytest.mark.contract

DAY = 86_400
HOST = "engine-a"


@dataclass
class Ledger:
    """A ledger whose clock may be set."""

    jobs: JobStatusPort
    set_clock: Callable[[float], None]
    """By so many seconds from the true time."""

    def begun(self, number: int = 0) -> Claim:
        request = JobRequest(
            submission_id=f"{number:032x}", user_id=f"user{number}", resource_class="small", benchmark="synthetic"
        )
        self.jobs.admit(request, UserLimits())
        claim = self.claimed()
        self.jobs.note(claim, sandbox=claim.mark)
        return claim

    def claimed(self) -> Claim:
        claim = self.jobs.claim("small", worker="w", lease_seconds=30, running_limit=1, host=HOST)
        assert claim is not None
        return claim

    def sweep(self) -> Swept:
        return self.jobs.sweep(max_attempts=3, host=HOST)


@pytest.fixture(params=["memory", "redis"])
def ledger(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    if request.param == "memory":
        twin = MemoryJobStatus()
        yield Ledger(twin, lambda seconds: setattr(twin, "clock", lambda: time.time() + seconds))
        return
    client: Any = request.getfixturevalue("redis_client")
    text = redis_job_status._script_text

    def set_clock(seconds: float) -> None:
        """As if TIME had answered so, for every script of the ledger."""
        told = f"(function() local t = redis.call('TIME'); return {{ t[1] + ({seconds}), t[2] }} end)()"

        def shifted(name: str) -> str:
            assert text(name).count("redis.call('TIME')") == 1
            return text(name).replace("redis.call('TIME')", told)

        monkeypatch.setattr(redis_job_status, "_script_text", shifted)

    yield Ledger(RedisJobStatus(client), set_clock)


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_claim_is_kept_over_the_jump_by_whoever_holds_it(ledger: Ledger, seconds: float) -> None:
    """Its next beat comes in time, whatever the clock says then."""
    claim = ledger.begun()
    ledger.set_clock(seconds)
    ledger.jobs.renew(claim, lease_seconds=30)
    assert ledger.sweep().orphaned == ()
    assert ledger.jobs.finish(claim, Outcome(state=JobState.COMPLETED)).state is JobState.COMPLETED


def test_a_clock_set_forth_ends_leases_and_repeats_nothing(ledger: Ledger) -> None:
    """Swept before the holder's next beat: taken over in the same attempt, at most one of the two is heard."""
    old = ledger.begun()
    ledger.set_clock(DAY)
    assert [job.job_id for job in ledger.sweep().orphaned] == [old.job_id]
    assert (ledger.claimed().job_id, ledger.jobs.get(old.job_id).attempt) == (old.job_id, 1)


def test_a_lease_of_tomorrow_ends_today(ledger: Ledger) -> None:
    """A lost host's, which nobody presumes dead: it ends after the longest that a lease may be."""
    claim = ledger.begun()
    ledger.set_clock(-DAY)
    assert ledger.sweep().orphaned == ()
    ledger.set_clock(-DAY + LONGEST_LEASE_SECONDS + 1)
    assert [job.job_id for job in ledger.sweep().orphaned] == [claim.job_id]


def test_what_lost_its_runner_before_the_jump_is_taken_over_after_it(ledger: Ledger) -> None:
    """Since when it waits is no matter."""
    claim = ledger.begun()
    ledger.jobs.presume_dead(claim.job_id, claim.mark)
    ledger.sweep()
    ledger.set_clock(-DAY)
    assert ledger.jobs.orphans(HOST) == 1
    assert ledger.claimed().job_id == claim.job_id


def test_a_cancel_of_tomorrow_is_carried_out_today(ledger: Ledger) -> None:
    """JOB-8: counted from the first sweep after the jump."""
    claim = ledger.begun()
    ledger.jobs.cancel(claim.job_id)
    ledger.set_clock(-DAY)
    assert ledger.sweep().ended == ()
    ledger.set_clock(-DAY + CANCEL_SECONDS + 1)
    assert [job.state for job in ledger.sweep().ended] == [JobState.CANCELLED]
