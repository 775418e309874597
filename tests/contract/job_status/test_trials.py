"""The ledger's contract for trials: counted by themselves, before all jobs, in no list of a benchmark."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.errors import LimitReached
from core.domain.job import CANCEL_SECONDS, JobRequest, JobState, Outcome
from core.domain.limits import UserLimits
from core.domain.verdict import FailureReason
from core.ports.job_status import JobStatusPort
from core.ports.rate_limit import RateLimitPort
from tests.contract.conftest import AnyLedger
from tests.contract.job_status.requests import LIMITS, claimed, request_of

pytestmark = pytest.mark.contract

MANY = LIMITS.model_copy(update={"trials_at_once": 9})


def trial_of(user: str = "ann", number: int = 0) -> JobRequest:
    return replace(request_of(user, number), trial=True)


def test_a_trial_and_a_job_of_one_submission_are_two(ledger: tuple[JobStatusPort, RateLimitPort]) -> None:
    """A trial takes no place of the hour, nor does a job take one of the trials."""
    jobs, rates = ledger
    trial, job = jobs.admit(trial_of(), LIMITS), jobs.admit(request_of(), LIMITS)
    assert trial.job.job_id != job.job.job_id
    assert (trial.job.trial, jobs.get(trial.job.job_id).trial, job.job.trial) == (True, True, False)
    assert (trial.allowance.limit, trial.allowance.remaining) == (20, 19)
    assert (job.allowance.limit, rates.allowance("ann", LIMITS).remaining) == (5, 4)
    assert not jobs.admit(trial_of(), LIMITS).created


def test_a_user_has_one_trial_at_a_time(jobs: JobStatusPort) -> None:
    """It is the last one's end that makes room, whichever it is; other users are not asked to wait."""
    first = jobs.admit(trial_of(), LIMITS).job
    with pytest.raises(LimitReached):
        jobs.admit(trial_of(number=1), LIMITS)
    claim = claimed(jobs)
    with pytest.raises(LimitReached):
        jobs.admit(trial_of(number=1), LIMITS)
    assert jobs.admit(trial_of("bob"), LIMITS).created
    jobs.finish(claim, Outcome(state=JobState.FAILED, reason=FailureReason.EXIT))
    assert jobs.get(first.job_id).is_final
    assert jobs.admit(trial_of(number=1), LIMITS).created


def test_the_hour_of_trials_is_bounded(jobs: JobStatusPort) -> None:
    """The refusal says when the next is possible, and jobs can be posted nevertheless."""
    few = MANY.model_copy(update={"trials_per_hour": 2})
    for number in range(2):
        jobs.admit(trial_of(number=number), few)
    with pytest.raises(LimitReached) as refusal:
        jobs.admit(trial_of(number=2), few)
    assert 3500 < refusal.value.retry_after_seconds <= 3601
    assert jobs.admit(request_of(), few).created


def test_a_running_job_keeps_no_trial_waiting_nor_the_other_way_round(jobs: JobStatusPort) -> None:
    """The limit of running jobs is the jobs' own."""
    jobs.admit(request_of(number=1), LIMITS)
    claimed(jobs)
    trial = jobs.admit(trial_of(), LIMITS).job
    assert claimed(jobs).job_id == trial.job_id
    queueing = UserLimits(jobs_per_hour=5, concurrent_running=2)
    job = jobs.admit(request_of(number=2), queueing).job
    assert claimed(jobs, running_limit=2).job_id == job.job_id


def test_trials_go_before_jobs_and_keep_their_order(jobs: JobStatusPort) -> None:
    """Claims and positions agree."""
    for number in range(2):
        jobs.admit(request_of("ann", number), LIMITS)
    trials = [jobs.admit(trial_of(user), LIMITS).job.job_id for user in ("bob", "cid")]
    waiting = [job.job_id for job in jobs.list_jobs(user_id="ann").jobs][::-1]
    order = [*trials, *waiting]
    assert jobs.positions(order) == {job_id: place for place, job_id in enumerate(order, start=1)}
    assert jobs.pending("small") == 4
    assert [claimed(jobs, running_limit=9).job_id for _ in order] == order
    assert jobs.pending("small") == 0


def test_no_list_of_a_benchmark_has_a_trial(jobs: JobStatusPort) -> None:
    """Boards are made of those lists; the lists of a user and of all have it, in each of its states."""
    trial = jobs.admit(trial_of(), LIMITS).job.job_id
    for state in (JobState.PENDING, JobState.RUNNING, JobState.COMPLETED):
        assert [job.job_id for job in jobs.list_jobs(user_id="ann", state=state).jobs] == [trial]
        for listed in (jobs.list_jobs(benchmark="synthetic"), jobs.list_jobs(user_id="ann", benchmark="synthetic")):
            assert listed.jobs == ()
        assert jobs.list_jobs(benchmark="synthetic", state=state).jobs == ()
        if state is JobState.PENDING:
            claim = claimed(jobs)
        elif state is JobState.RUNNING:
            jobs.finish(claim, Outcome(state=JobState.COMPLETED, ranked=True))
    assert jobs.completed("synthetic") == 0


def test_a_trial_put_back_waits_among_the_trials_again(jobs: JobStatusPort) -> None:
    """A stopped runner costs neither its place nor the right to be first."""
    trial = jobs.admit(trial_of(), LIMITS).job.job_id
    jobs.admit(request_of("bob"), LIMITS)
    jobs.hand_back(claimed(jobs), count_attempt=False, why="it was stopped")
    assert jobs.positions([trial]) == {trial: 1}
    assert claimed(jobs).job_id == trial


def test_what_the_platform_did_to_a_trial_is_given_back(jobs: JobStatusPort) -> None:
    """A failure of the platform, and a cancel before the start."""
    one = LIMITS.model_copy(update={"trials_per_hour": 1})
    jobs.admit(trial_of(), one)
    jobs.finish(claimed(jobs), Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, refund=True))
    second = jobs.admit(trial_of(number=1), one).job
    jobs.cancel(second.job_id)
    assert jobs.positions([second.job_id]) == {}
    assert jobs.pending("small") == 0
    assert jobs.admit(trial_of(number=2), one).created


def test_a_trial_that_is_refunded_takes_no_place(ledger: tuple[JobStatusPort, RateLimitPort]) -> None:
    """As the retry of a dead letter does."""
    jobs, rates = ledger
    one = MANY.model_copy(update={"trials_per_hour": 1})
    rates.refund("ann", jobs.admit(trial_of(), one).job.job_id)
    assert jobs.admit(trial_of(number=1), one).created


def test_a_trial_whose_runner_is_gone_is_swept_as_any_job(any_ledger: AnyLedger) -> None:
    """Lease, loss and requeue; a cancel that no runner carries out is carried out."""
    jobs = any_ledger.jobs
    trial = jobs.admit(trial_of(), LIMITS).job.job_id
    jobs.sweep(max_attempts=3)
    claim = claimed(jobs)
    assert jobs.presume_dead(trial, claim.mark)
    assert [job.job_id for job in jobs.sweep(max_attempts=3).requeued] == [trial]
    claimed(jobs)
    jobs.cancel(trial)
    any_ledger.set_clock(CANCEL_SECONDS + 1)
    assert [job.state for job in jobs.sweep(max_attempts=3).ended] == [JobState.CANCELLED]
