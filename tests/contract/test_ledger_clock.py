"""The ledger's own clock, set forth and back by a day, or gone on while the ledger was away (R20).

No job waits for a moment that the clock once named; nobody is judged by a silence in which they could not be heard.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from core.adapters.redis.job_status import RedisJobStatus
from core.domain.errors import LimitReached
from core.domain.job import (
    CANCEL_SECONDS,
    HEARING_SECONDS,
    LONGEST_LEASE_SECONDS,
    MAX_LOSSES,
    Claim,
    Job,
    JobRequest,
    JobState,
    Outcome,
)
from core.domain.limits import UserLimits
from core.ports.job_status import JobStatusPort, Swept
from core.ports.rate_limit import RateLimitPort
from tests.contract.conftest import AnyLedger

pytestmark = pytest.mark.contract

DAY = 86_400
HOST, OTHER = "engine-a", "engine-b"
PATIENCE = 60
AWAY = PATIENCE + 6
"""Longer than leases and hosts are waited for."""


def wanted(number: int, user: str) -> JobRequest:
    return JobRequest(submission_id=f"{number:032x}", user_id=user, resource_class="small", benchmark="synthetic")


@dataclass
class Ledger:
    """A ledger whose clock may be set."""

    jobs: JobStatusPort
    rates: RateLimitPort
    set_clock: Callable[[float], None]
    """By so many seconds from the true time."""

    def begun(self, number: int = 0, host: str = HOST) -> Claim:
        self.jobs.admit(wanted(number, f"user{number}"), UserLimits())
        claim = self.claimed(host)
        self.jobs.note(claim, sandbox=claim.mark)
        return claim

    def claimed(self, host: str = HOST) -> Claim:
        claim = self.jobs.claim("small", worker="w", lease_seconds=30, running_limit=1, host=host)
        assert claim is not None
        return claim

    def sweep(self, host: str = HOST) -> Swept:
        return self.jobs.sweep(max_attempts=3, host=host, host_patience=PATIENCE)

    def swept_on(self, begin: float, seconds: float, *hosts: str, beating: Sequence[Claim] = ()) -> Sequence[Job]:
        """What sweepers of these hosts settle in so many seconds, while these claims are renewed."""
        found: list[Job] = []
        for second in range(0, int(seconds) + 1, 2):
            self.set_clock(begin + second)
            for host in hosts:
                swept = self.sweep(host)
                found += [*swept.requeued, *swept.ended, *swept.orphaned]
            for claim in beating:
                self.jobs.renew(claim, lease_seconds=30)
        return found


@pytest.fixture
def ledger(any_ledger: AnyLedger) -> Ledger:
    return Ledger(any_ledger.jobs, any_ledger.rates, any_ledger.set_clock)


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_a_claim_is_kept_over_the_jump_by_whoever_holds_it(ledger: Ledger, seconds: float) -> None:
    """Its next beat comes in time, whatever the clock says then."""
    claim = ledger.begun()
    ledger.set_clock(seconds)
    ledger.jobs.renew(claim, lease_seconds=30)
    assert ledger.sweep().orphaned == ()
    assert ledger.jobs.finish(claim, Outcome(state=JobState.COMPLETED)).state is JobState.COMPLETED


def test_a_clock_set_forth_repeats_nothing(ledger: Ledger) -> None:
    """Whose next beats do not come either is taken over in the same attempt."""
    old = ledger.begun()
    ledger.sweep()
    ledger.set_clock(DAY)
    assert ledger.sweep().orphaned == ()
    assert [job.job_id for job in ledger.swept_on(DAY, HEARING_SECONDS, HOST)] == [old.job_id]
    assert (ledger.claimed().job_id, ledger.jobs.get(old.job_id).attempt) == (old.job_id, 1)


def test_a_lease_of_tomorrow_ends_today(ledger: Ledger) -> None:
    """A lost host's, which nobody presumes dead: it ends after the longest that a lease may be."""
    claim = ledger.begun()
    ledger.set_clock(-DAY)
    assert ledger.sweep().orphaned == ()
    found = ledger.swept_on(-DAY, LONGEST_LEASE_SECONDS + 1, HOST)
    assert [job.job_id for job in found] == [claim.job_id]


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


def test_jobs_posted_tomorrow_count_for_an_hour(ledger: Ledger) -> None:
    """JOB-4: not for a day and an hour."""
    limits = UserLimits(jobs_per_hour=2)
    ledger.set_clock(DAY)
    for number in range(2):
        ledger.jobs.admit(wanted(number, "ann"), limits)
    ledger.set_clock(0)
    assert ledger.rates.allowance("ann", limits).renews_in_seconds <= 3601
    with pytest.raises(LimitReached) as refused:
        ledger.jobs.admit(wanted(2, "ann"), limits)
    assert refused.value.retry_after_seconds <= 3601
    ledger.set_clock(3602)
    assert ledger.jobs.admit(wanted(2, "ann"), limits).created


def test_a_host_that_told_of_itself_tomorrow_is_gone_today(ledger: Ledger) -> None:
    """RUN-4: so long as it is waited for at any time, counted from the first look after the jump."""
    ledger.set_clock(DAY)
    ledger.sweep()
    claim = ledger.begun()
    ledger.jobs.presume_dead(claim.job_id, claim.mark)
    ledger.sweep(OTHER)
    assert ledger.swept_on(0, PATIENCE - 2, OTHER) == []
    assert [job.state for job in ledger.swept_on(PATIENCE + 2, 0, OTHER)] == [JobState.PENDING]


def test_no_outage_of_the_ledger_takes_a_run_from_who_lives(ledger: Ledger) -> None:
    """However long and often: no run is taken over or repeated, on no host, and no waiting result is thrown away."""
    ledger.swept_on(0, 0, HOST, OTHER)
    claims = [ledger.begun(0), ledger.begun(1, OTHER)]
    waits = ledger.begun(2, OTHER)
    ledger.jobs.leave(waits, until_told=True)
    for outage in range(1, MAX_LOSSES + 2):
        begin = outage * 10 * AWAY
        ledger.set_clock(begin)
        assert ledger.sweep(HOST) == ledger.sweep(OTHER) == Swept()  # before any beat
        assert ledger.swept_on(begin, PATIENCE + 10, HOST, OTHER, beating=claims) == []
    assert ledger.jobs.waiting_results(OTHER) == 1
    dead = claims[1]
    ledger.jobs.presume_dead(dead.job_id, dead.mark)
    assert [job.attempt for job in ledger.sweep().orphaned] == [1]  # none of it was counted as a loss of its runner


def test_after_an_outage_of_the_ledger_what_is_gone_is_settled(ledger: Ledger) -> None:
    """RUN-3, RUN-4: a dead claim at once, a silent runner's after some beats, a silent host's after its patience."""
    dead, silent = ledger.begun(0), ledger.begun(1)
    gone = ledger.begun(2, OTHER)
    ledger.swept_on(0, 0, HOST, OTHER)
    ledger.set_clock(AWAY)
    ledger.jobs.presume_dead(dead.job_id, dead.mark)
    assert [job.job_id for job in ledger.sweep().orphaned] == [dead.job_id]
    found = ledger.swept_on(AWAY, HEARING_SECONDS, HOST)
    assert {job.job_id for job in found} == {silent.job_id, gone.job_id}
    assert {job.state for job in found} == {JobState.RUNNING}
    found = ledger.swept_on(AWAY + HEARING_SECONDS, PATIENCE - HEARING_SECONDS, HOST)
    assert [(job.job_id, job.state) for job in found] == [(gone.job_id, JobState.PENDING)]


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_how_far_this_machines_clock_is_from_the_ledgers(
    redis_client: Any, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """To half of the round trip; the ledger's own time does not hang on this machine's."""
    jobs, real = RedisJobStatus(redis_client), time.time
    before = jobs.now()
    monkeypatch.setattr(time, "time", lambda: real() + 3600 * hours)
    assert abs(jobs.clock_skew() - 3600 * hours) < 40
    assert 0 <= (jobs.now() - before).total_seconds() < 100


def test_a_slow_answer_is_no_skew(redis_client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the round trip is taken off: a ledger that takes 2 s to answer is not 2 s behind."""
    jobs, real = RedisJobStatus(redis_client), redis_client.time

    def slow() -> Any:
        time.sleep(1.0)
        found = real()
        time.sleep(1.0)
        return found

    monkeypatch.setattr(redis_client, "time", slow)
    assert abs(jobs.clock_skew()) < 0.9
