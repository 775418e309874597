"""The ledger's contract for claims: whose turn it is, leases, outcomes, cancels."""

from __future__ import annotations

import time

import pytest

from core.domain.errors import Conflict, LeaseLost
from core.domain.job import MAX_LOSSES, JobState, Outcome, Phase
from core.domain.limits import UserLimits
from core.domain.verdict import FailureReason
from core.ports.job_status import JobStatusPort
from core.ports.rate_limit import RateLimitPort
from tests.contract.job_status.requests import LEASE, LIMITS, claimed, request_of

pytestmark = pytest.mark.contract


def test_a_claim_makes_the_job_running_with_its_attempt_counted(jobs: JobStatusPort) -> None:
    """A claimed job can be claimed by nobody else, and it has no place in the queue."""
    jobs.admit(request_of(), LIMITS)
    claim = claimed(jobs)
    assert (claim.job.state, claim.job.attempt, claim.job.phase) == (JobState.RUNNING, 1, Phase.PREPARING)
    assert claim.job.started_at is not None
    assert jobs.claim("small", worker="x", lease_seconds=LEASE, running_limit=9) is None
    assert jobs.positions([claim.job_id]) == {}


def test_a_claim_takes_only_its_own_class(jobs: JobStatusPort) -> None:
    """A doorbell for one class never starts a job of another."""
    jobs.admit(request_of(resource_class="medium"), LIMITS)
    assert jobs.claim("small", worker="w", lease_seconds=LEASE, running_limit=1) is None
    assert jobs.claim("medium", worker="w", lease_seconds=LEASE, running_limit=1) is not None


def test_the_next_job_is_of_the_user_with_the_fewest_running(jobs: JobStatusPort) -> None:
    """JOB-9: fifty pending jobs of one user do not delay another's first; positions tell the same order."""
    many = UserLimits(jobs_per_hour=100, concurrent_running=10)
    anns = [jobs.admit(request_of("ann", number), many).job.job_id for number in range(4)]
    bobs = [jobs.admit(request_of("bob", number), many).job.job_id for number in range(2)]
    expected = [anns[0], bobs[0], anns[1], bobs[1], anns[2], anns[3]]
    assert sorted([*anns, *bobs], key=jobs.positions([*anns, *bobs]).__getitem__) == expected
    assert [claimed(jobs, running_limit=10).job_id for _ in expected] == expected


def test_progress_is_noted(jobs: JobStatusPort) -> None:
    """What the runner is doing can be seen while it does it."""
    jobs.admit(request_of(), LIMITS)
    claim = claimed(jobs)
    jobs.note(claim, phase=Phase.RUNNING, device="cpu")
    jobs.note(claim, phase=Phase.COLLECTING)
    found = jobs.get(claim.job_id)
    assert (found.phase, found.device) == (Phase.COLLECTING, "cpu")


def test_a_finished_job_keeps_what_does_not_count_of_its_report(jobs: JobStatusPort) -> None:
    """FLD-3, FLD-4: the notes, and whether and why not its benchmark ranks it."""
    jobs.admit(request_of(), LIMITS)
    told = {"notes": ("metrics['a'] = null was left out.", "精度"), "ranked": False, "unranked_because": "why"}
    claim = claimed(jobs)
    assert (claim.job.notes, claim.job.ranked, claim.job.unranked_because) == ((), None, None)
    jobs.finish(claim, Outcome(state=JobState.COMPLETED, run_id="r1", **told))
    found = jobs.get(claim.job_id)
    assert {name: getattr(found, name) for name in told} == told


def test_a_finished_job_keeps_its_outcome_for_ever(jobs: JobStatusPort) -> None:
    """JOB-3: a final state never changes, whoever tries."""
    jobs.admit(request_of(), LIMITS)
    claim = claimed(jobs)
    ended = jobs.finish(claim, Outcome(state=JobState.COMPLETED, run_id="r1", peaks={"wall_seconds": 1.5}))
    assert (ended.state, ended.phase, ended.run_id) == (JobState.COMPLETED, Phase.DONE, "r1")
    assert ended.peaks == {"wall_seconds": 1.5}
    assert ended.finished_at is not None
    for attempt in (
        lambda: jobs.finish(claim, Outcome(state=JobState.FAILED)),
        lambda: jobs.note(claim, phase=Phase.RUNNING),
        lambda: jobs.renew(claim, lease_seconds=LEASE),
        lambda: jobs.hand_back(claim, count_attempt=True),
    ):
        with pytest.raises(LeaseLost):
            attempt()
    with pytest.raises(Conflict):
        jobs.cancel(claim.job_id)
    assert jobs.get(claim.job_id) == ended


def test_a_platform_failure_gives_the_place_back(ledger: tuple[JobStatusPort, RateLimitPort]) -> None:
    """A failing platform uses up nobody's quota."""
    jobs, rates = ledger
    jobs.admit(request_of(), LIMITS)
    outcome = Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, message="sorry", refund=True)
    ended = jobs.finish(claimed(jobs), outcome)
    assert (ended.failure_reason, ended.error_message) == (FailureReason.PLATFORM, "sorry")
    assert rates.allowance("ann", LIMITS).remaining == 5


@pytest.mark.parametrize(("counted", "attempt"), [(True, 2), (False, 1)])
def test_a_job_handed_back_is_claimed_again(jobs: JobStatusPort, *, counted: bool, attempt: int) -> None:
    """A runner that stops in good order costs no attempt; a failing platform does."""
    jobs.admit(request_of(), LIMITS)
    back = jobs.hand_back(claimed(jobs), count_attempt=counted)
    assert (back.state, back.phase) == (JobState.PENDING, Phase.QUEUED)
    assert claimed(jobs).job.attempt == attempt


def test_a_pending_job_that_is_cancelled_never_starts(jobs: JobStatusPort) -> None:
    """JOB-8; cancelling twice is no error."""
    job = jobs.admit(request_of(), LIMITS).job
    assert jobs.cancel(job.job_id).state is JobState.CANCELLED
    assert jobs.cancel(job.job_id).state is JobState.CANCELLED
    assert jobs.claim("small", worker="w", lease_seconds=LEASE, running_limit=1) is None


def test_the_runner_of_a_cancelled_job_hears_of_it(jobs: JobStatusPort) -> None:
    """A running job is marked; its runner sees the mark when it renews its lease."""
    jobs.admit(request_of(), LIMITS)
    claim = claimed(jobs)
    assert jobs.renew(claim, lease_seconds=LEASE) is False
    marked = jobs.cancel(claim.job_id)
    assert (marked.state, marked.cancel_requested) == (JobState.RUNNING, True)
    assert jobs.renew(claim, lease_seconds=LEASE) is True


def test_a_lease_that_ran_out_is_taken_back_and_fences_off_its_old_holder(jobs: JobStatusPort) -> None:
    """A result of an old claim cannot land."""
    jobs.admit(request_of(), LIMITS)
    old = claimed(jobs, lease=0.05)
    time.sleep(0.1)
    swept = jobs.sweep(max_attempts=3)
    assert [job.job_id for job in swept.requeued] == [old.job_id]
    new = claimed(jobs)
    with pytest.raises(LeaseLost):
        jobs.finish(old, Outcome(state=JobState.COMPLETED))
    assert jobs.finish(new, Outcome(state=JobState.COMPLETED)).state is JobState.COMPLETED


def test_a_renewed_lease_is_left_alone(jobs: JobStatusPort) -> None:
    """The sweeper takes nothing from a living runner."""
    jobs.admit(request_of(), LIMITS)
    claim = claimed(jobs, lease=0.2)
    jobs.renew(claim, lease_seconds=LEASE)
    time.sleep(0.3)
    assert jobs.sweep(max_attempts=3).requeued == ()
    assert jobs.get(claim.job_id).state is JobState.RUNNING


def test_a_job_that_lost_its_runner_too_often_fails_by_the_platform(
    ledger: tuple[JobStatusPort, RateLimitPort],
) -> None:
    """Nothing is tried for ever, and the user gets the place back."""
    jobs, rates = ledger
    jobs.admit(request_of(), LIMITS)
    for _loss in range(MAX_LOSSES):
        claim = claimed(jobs, lease=0.02)
        time.sleep(0.05)
        swept = jobs.sweep(max_attempts=1)
    assert [job.job_id for job in swept.ended] == [claim.job_id]
    ended = jobs.get(claim.job_id)
    assert (ended.state, ended.failure_reason) == (JobState.FAILED, FailureReason.PLATFORM)
    assert rates.allowance("ann", LIMITS).remaining == 5


def test_a_cancelled_job_whose_runner_died_ends_as_cancelled(jobs: JobStatusPort) -> None:
    """JOB-8: also when nobody watches it any more."""
    jobs.admit(request_of(), LIMITS)
    claim = claimed(jobs, lease=0.02)
    jobs.cancel(claim.job_id)
    time.sleep(0.05)
    assert [job.state for job in jobs.sweep(max_attempts=3).ended] == [JobState.CANCELLED]
