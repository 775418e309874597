"""The ledger's contract for jobs that may be what their runners died of: bounded in number, alone, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from core.adapters.redis.job_status import RedisJobStatus
from core.domain.job import (
    ALONE_SECONDS,
    HOST_GONE,
    LOST_TOO_OFTEN,
    MAX_ATTEMPTS,
    MAX_LOSSES,
    RUNNER_GONE,
    SUSPECT_LOSSES,
    Claim,
    JobRequest,
    JobState,
    Outcome,
)
from core.domain.limits import UserLimits
from core.ports.job_status import JobStatusPort
from tests.contract.conftest import AnyLedger

pytestmark = pytest.mark.contract

LIMITS = UserLimits(jobs_per_hour=50, concurrent_running=9, queue_when_over=True)
HOST, OTHER = "engine-a", "engine-b"
LEASE = 590.0
DONE = Outcome(state=JobState.COMPLETED)


@dataclass
class Ledger:
    jobs: JobStatusPort
    set_clock: Callable[[float], None]
    """By so many seconds from the true time."""
    admitted: int = 0

    def admit(self, user: str = "ann", resource_class: str = "small") -> str:
        self.admitted += 1
        request = JobRequest(
            submission_id=f"{self.admitted:032x}", user_id=user, resource_class=resource_class, benchmark="synthetic"
        )
        return self.jobs.admit(request, LIMITS).job.job_id

    def claim(self, host: str = HOST, resource_class: str = "small") -> Claim | None:
        return self.jobs.claim(resource_class, worker="w", lease_seconds=LEASE, running_limit=9, host=host)

    def claimed(self, host: str = HOST, resource_class: str = "small") -> Claim:
        claim = self.claim(host, resource_class)
        assert claim is not None
        return claim

    def sweep(self, host: str = HOST) -> None:
        self.jobs.sweep(max_attempts=MAX_ATTEMPTS, host=host)

    def lose(self, claim: Claim) -> None:
        assert self.jobs.presume_dead(claim.job_id, claim.mark)
        self.sweep()

    def suspect(self, *, launched: bool, user: str = "eve", resource_class: str = "small") -> str:
        """A job that lost its runner often enough: it waits in the queue, or its run waits on the host."""
        job_id = self.admit(user, resource_class)
        for _loss in range(SUSPECT_LOSSES):
            claim = self.claimed(resource_class=resource_class)
            assert claim.job_id == job_id
            if launched:
                self.jobs.note(claim, sandbox=claim.job.sandbox or claim.mark)
            self.lose(claim)
        assert self.jobs.get(job_id).is_suspect
        return job_id

    def suspect_beside_another(self) -> tuple[str, Claim]:
        """One whose run lost its runner again once another job had been begun beside it."""
        suspect = self.suspect(launched=True)
        watching = self.claimed()
        assert watching.job_id == suspect
        self.set_clock(ALONE_SECONDS + 1)
        self.jobs.renew(watching, lease_seconds=LEASE)
        self.admit()
        other = self.claimed()
        self.lose(watching)
        assert other.job_id != suspect
        return suspect, other


@pytest.fixture
def ledger(any_ledger: AnyLedger) -> Ledger:
    return Ledger(any_ledger.jobs, any_ledger.set_clock)


def test_the_losses_of_all_attempts_count_together(ledger: Ledger) -> None:
    """Neither another attempt nor a launch in the same one begins the count anew."""
    job_id = ledger.admit()
    for loss in range(MAX_LOSSES):
        claim = ledger.claimed()
        if loss in {1, 3}:
            ledger.jobs.hand_back(claim, count_attempt=loss == 1, why="the engine lost its run")
            claim = ledger.claimed()
        assert claim.job.losses == loss
        if loss % 2:
            ledger.jobs.note(claim, sandbox=claim.mark)
        ledger.lose(claim)
    job = ledger.jobs.get(job_id)
    assert (job.state, job.attempt, job.losses) == (JobState.FAILED, 2, MAX_LOSSES)
    assert job.error_message == LOST_TOO_OFTEN


def test_a_job_says_why_it_is_launched_again(ledger: Ledger) -> None:
    """For the log of the next attempt: what handed it back, lost its runner, or lost its host."""
    job_id = ledger.admit()
    assert ledger.jobs.get(job_id).again_because is None
    ledger.jobs.hand_back(ledger.claimed(), count_attempt=True, why="the engine lost its run")
    claim = ledger.claimed()
    assert claim.job.again_because == "the engine lost its run"
    ledger.lose(claim)
    claim = ledger.claimed()
    assert claim.job.again_because == RUNNER_GONE
    ledger.jobs.note(claim, sandbox=claim.mark)
    ledger.jobs.leave(claim)
    ledger.set_clock(100)
    ledger.sweep(OTHER)
    ledger.set_clock(200)
    for second in range(0, 80, 5):  # without a break in which nobody could have been heard
        ledger.set_clock(200 + second)
        ledger.sweep(OTHER)
    assert ledger.claimed(OTHER).job.again_because == HOST_GONE


@pytest.mark.parametrize("launched", [True, False])
def test_nothing_is_claimed_beside_a_suspect(ledger: Ledger, *, launched: bool) -> None:
    """Of no class, new or left without a runner; other hosts go on, and so does this one once it is judged."""
    suspect = ledger.suspect(launched=launched)
    ledger.admit()
    ledger.admit(resource_class="medium")
    claim = ledger.claimed()
    assert claim.job_id == suspect
    assert ledger.claim() is None
    assert ledger.claim(resource_class="medium") is None
    assert ledger.claim(OTHER) is not None
    ledger.jobs.finish(claim, DONE)
    assert ledger.claim(resource_class="medium") is not None


def test_a_suspect_run_waits_until_its_host_holds_nothing_else(ledger: Ledger) -> None:
    """What runs is not disturbed; nothing new is begun meanwhile."""
    suspect, other = ledger.suspect_beside_another()
    ledger.admit()
    assert ledger.claim() is None
    ledger.jobs.finish(other, DONE)
    assert ledger.claimed().job_id == suspect


def test_a_run_that_is_no_suspect_is_taken_over_before_one_that_is(ledger: Ledger) -> None:
    """It waits for nothing."""
    suspect, other = ledger.suspect_beside_another()
    ledger.jobs.note(other, sandbox=other.mark)
    ledger.jobs.leave(other)
    assert [ledger.claimed().job_id, ledger.claim()] == [other.job_id, None]
    assert ledger.jobs.orphans(HOST) == 1
    assert not ledger.jobs.is_held(suspect)


def test_one_host_empties_itself_for_a_waiting_suspect_and_the_others_go_on(ledger: Ledger) -> None:
    """Also for what it would take of other classes; any host that holds nothing takes the suspect at once."""
    suspect = ledger.suspect(launched=False)
    ledger.sweep(OTHER)
    ledger.admit(resource_class="medium")
    ledger.admit(resource_class="medium")
    here, there = ledger.claimed(HOST, "medium"), ledger.claimed(OTHER, "medium")
    ledger.admit("bob")
    ledger.admit("bob", resource_class="medium")
    assert ledger.claim(HOST) is None, "it empties itself"
    assert ledger.claim(HOST, "medium") is None, "of every class"
    assert ledger.claimed(OTHER).job.user_id == "bob"
    assert ledger.claimed(OTHER, "medium").job.user_id == "bob"
    ledger.jobs.finish(here, DONE)
    assert ledger.claimed(HOST).job_id == suspect
    assert ledger.claim(HOST, "medium") is None
    ledger.jobs.finish(there, DONE)


def test_a_host_without_jobs_takes_a_suspect_that_another_one_is_emptied_for(ledger: Ledger) -> None:
    suspect = ledger.suspect(launched=False)
    ledger.admit(resource_class="medium")
    ledger.claimed(HOST, "medium")
    assert ledger.claim(HOST) is None
    assert ledger.claimed(OTHER).job_id == suspect
    ledger.admit("bob")
    assert ledger.claimed(HOST).job.user_id == "bob"


@pytest.mark.parametrize("launched", [True, False])
@pytest.mark.parametrize("seconds", [2 * ALONE_SECONDS + 2, -3600.0])
def test_no_suspect_waits_for_ever(ledger: Ledger, seconds: float, *, launched: bool) -> None:
    """After a while it is claimed beside what runs for long; so it is where the ledger's clock was set back."""
    if launched:
        suspect, _other = ledger.suspect_beside_another()
    else:
        suspect = ledger.suspect(launched=False)
        ledger.admit(resource_class="medium")
        ledger.claimed(HOST, "medium")
    assert ledger.claim(HOST) is None
    ledger.set_clock(seconds)
    assert ledger.claimed().job_id == suspect


@pytest.mark.parametrize("seconds", [ALONE_SECONDS + 1, -3600.0])
def test_nobody_waits_for_a_suspect_for_ever(ledger: Ledger, seconds: float) -> None:
    """Its runner has lived with it for so long: it is not what that dies of."""
    ledger.suspect(launched=False)
    suspect = ledger.claimed()
    ledger.admit("bob")
    assert ledger.claim() is None
    ledger.set_clock(seconds)
    ledger.jobs.renew(suspect, lease_seconds=LEASE)
    assert ledger.claimed().job.user_id == "bob"


def test_a_suspect_that_is_cancelled_while_it_waits_holds_up_nobody(ledger: Ledger) -> None:
    suspect = ledger.suspect(launched=False)
    ledger.admit(resource_class="medium")
    ledger.admit("bob", resource_class="medium")
    ledger.claimed(HOST, "medium")
    assert ledger.claim(HOST) is None
    ledger.jobs.cancel(suspect)
    assert ledger.claimed(HOST, "medium").job.user_id == "bob"


def test_losses_that_an_older_version_counted_are_losses(redis_client: Any) -> None:
    """An upgrade in the middle of it: `recoveries` of the present attempt."""
    ledger = Ledger(RedisJobStatus(redis_client), lambda _seconds: None)
    job_id = ledger.admit()
    claim = ledger.claimed()
    redis_client.hset(f"leaderboard:job:{job_id}", "recoveries", 3)
    ledger.lose(claim)
    assert ledger.jobs.get(job_id).losses == 4
    ledger.lose(ledger.claimed())
    assert ledger.jobs.get(job_id).state is JobState.FAILED
