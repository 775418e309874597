"""The ledger's contract for runs that lose their runner: one text for the twin in memory and for Redis."""

from __future__ import annotations

import time

import pytest

from core.domain.errors import LeaseLost
from core.domain.job import LOST_TOO_OFTEN, MAX_ATTEMPTS, MAX_LOSSES, JobState, Outcome, Phase
from tests.contract.conftest import AnyLedger
from tests.contract.taken_over import HOST, LEASE, LIMITS, Ledger

pytestmark = pytest.mark.contract


@pytest.fixture
def ledger(any_ledger: AnyLedger) -> Ledger:
    return Ledger(jobs=any_ledger.jobs, rates=any_ledger.rates)


def test_a_run_that_lost_its_runner_is_taken_over_on_its_host(ledger: Ledger) -> None:
    """The same attempt goes on under a new claim; the old one is fenced off; the job stays `running` throughout."""
    old = ledger.launched()
    swept = ledger.kill(old)
    assert [job.job_id for job in swept.orphaned] == [old.job_id]
    assert ledger.jobs.get(old.job_id).state is JobState.RUNNING
    new = ledger.claimed()
    assert (new.job_id, new.job.attempt, new.job.sandbox) == (old.job_id, 1, old.mark)
    assert new.token != old.token
    with pytest.raises(LeaseLost):
        ledger.jobs.finish(old, Outcome(state=JobState.COMPLETED))
    assert ledger.jobs.finish(new, Outcome(state=JobState.COMPLETED)).state is JobState.COMPLETED


def test_the_ledger_says_whether_a_runner_holds_a_job(ledger: Ledger) -> None:
    """What is held is its holder's alone: not when it waits, was let go of, lost its runner, or has ended."""
    job_id = ledger.admit()
    assert not ledger.jobs.is_held(job_id)
    claim = ledger.claimed()
    assert ledger.jobs.is_held(job_id)
    ledger.jobs.note(claim, phase=Phase.RUNNING, sandbox=claim.mark)
    ledger.kill(claim)
    assert not ledger.jobs.is_held(job_id)
    claim = ledger.claimed()
    ledger.jobs.leave(claim)
    assert not ledger.jobs.is_held(job_id)
    ledger.jobs.finish(ledger.claimed(), Outcome(state=JobState.COMPLETED))
    assert not ledger.jobs.is_held(job_id)
    assert not ledger.jobs.is_held("0" * 32)


def test_only_a_runner_of_the_same_host_takes_a_run_over(ledger: Ledger) -> None:
    """The container is in that host's engine and nowhere else."""
    old = ledger.launched()
    ledger.kill(old)
    ledger.sweep(host="engine-b")
    assert ledger.claim(host="engine-b") is None
    assert (ledger.jobs.orphans(HOST), ledger.jobs.orphans("engine-b")) == (1, 0)
    assert ledger.claimed().job_id == old.job_id


def test_what_lost_its_runner_comes_before_what_waits_whatever_its_class(ledger: Ledger) -> None:
    """A container that nobody watches is not kept waiting by new jobs, not of another class either."""
    old = ledger.launched()
    ledger.admit("eve", 1, resource_class="medium")
    ledger.kill(old)
    claim = ledger.claim(resource_class="medium")
    assert claim is not None
    assert claim.job_id == old.job_id


def test_a_job_that_had_no_run_yet_goes_back_to_the_queue(ledger: Ledger) -> None:
    """Nothing is there to take over: again, anywhere, and no attempt is used up."""
    ledger.admit()
    old = ledger.claimed()
    assert [job.job_id for job in ledger.kill(old).requeued] == [old.job_id]
    assert ledger.jobs.get(old.job_id).attempt == 0
    again = ledger.claimed(host="engine-b")
    assert (again.job.attempt, again.job.sandbox) == (1, None)


def test_runs_of_a_host_that_is_gone_are_repeated_elsewhere(ledger: Ledger) -> None:
    """RUN-4: once the host was not seen for its patience; the new attempt knows nothing of the old run."""
    old = ledger.launched()
    ledger.jobs.sweep(max_attempts=MAX_ATTEMPTS, host=HOST, host_patience=1)
    ledger.jobs.presume_dead(old.job_id, old.mark)
    time.sleep(1.1)
    swept = ledger.sweep(host="engine-b")
    assert [job.job_id for job in swept.requeued] == [old.job_id]
    again = ledger.claimed(host="engine-b")
    assert (again.job.attempt, again.job.sandbox, again.job.host) == (2, None, "engine-b")


@pytest.mark.parametrize("launches", [True, False])
def test_a_job_that_ends_every_runner_is_not_taken_over_for_ever(ledger: Ledger, *, launches: bool) -> None:
    """So many losses of a runner in all; then the platform has failed, at nobody's cost, and says so."""
    job_id = ledger.admit()
    attempts = []
    for _round in range(MAX_LOSSES):
        claim = ledger.claimed()
        attempts.append(claim.job.attempt)
        if launches:
            ledger.jobs.note(claim, sandbox=claim.job.sandbox or claim.mark)
        ledger.kill(claim)
    assert attempts == [1] * MAX_LOSSES
    job = ledger.jobs.get(job_id)
    assert (job.state, job.failure_reason, job.attempt) == (JobState.FAILED, "platform", 1)
    assert job.error_message == LOST_TOO_OFTEN
    assert ledger.rates.allowance("ann", LIMITS).remaining == LIMITS.jobs_per_hour
    assert ledger.claim() is None


def test_a_stopping_runner_leaves_its_run_without_counting(ledger: Ledger) -> None:
    """RUN-3: a rolling restart may happen any number of times."""
    claim = ledger.launched()
    for _restart in range(MAX_LOSSES + 3):
        ledger.sweep()
        ledger.jobs.leave(claim)
        claim = ledger.claimed()
        assert (claim.job.attempt, claim.job.sandbox is not None) == (1, True)


def test_a_run_without_a_runner_keeps_its_users_place(ledger: Ledger) -> None:
    """JOB-4: never more than so many of a user's jobs run, whoever watches them."""
    ledger.sweep()
    ledger.jobs.leave(ledger.launched())
    ledger.admit(number=1)
    assert ledger.claim(host="engine-b") is None


def test_a_result_that_waits_keeps_no_place_and_no_runner(ledger: Ledger) -> None:
    """TRK-5: the user's next job runs meanwhile; nobody takes the result up before it is told to."""
    ledger.sweep()
    claim = ledger.launched()
    ledger.jobs.note(claim, phase=Phase.RECORDING)
    ledger.jobs.leave(claim, until_told=True)
    ledger.admit(number=1)
    other = ledger.claimed()
    assert other.job_id != claim.job_id
    assert (ledger.claim(), ledger.jobs.waiting_results(HOST)) == (None, 1)
    assert ledger.jobs.release_results("engine-b") == 0
    assert ledger.jobs.release_results(HOST) == 1
    again = ledger.claimed()
    assert (again.job_id, again.job.phase, again.job.attempt) == (claim.job_id, Phase.RECORDING, 1)
    assert ledger.jobs.waiting_results(HOST) == 0


def test_no_late_beat_brings_a_claim_back_that_was_given_up(ledger: Ledger) -> None:
    """Its heart may have been beating just then: somebody watches the run all the same, within a sweep."""
    claim = ledger.launched()
    assert ledger.jobs.presume_dead(claim.job_id, claim.mark)
    with pytest.raises(LeaseLost):
        ledger.jobs.renew(claim, lease_seconds=LEASE)
    assert [job.job_id for job in ledger.sweep().orphaned] == [claim.job_id]


def test_a_claim_that_is_over_cannot_be_presumed_dead(ledger: Ledger) -> None:
    """What is found of an old process says nothing about who holds the job now."""
    old = ledger.launched()
    ledger.kill(old)
    new = ledger.claimed()
    assert not ledger.jobs.presume_dead(old.job_id, old.mark)
    assert ledger.sweep().orphaned == ()
    assert not ledger.jobs.renew(new, lease_seconds=LEASE)
