"""A job that is cancelled before it started takes no place in its user's hour: one text for the twin and for Redis."""

from __future__ import annotations

import pytest

from core.domain.errors import LimitReached
from core.domain.job import MOST_GIVEN_BACK, Claim, JobRequest, JobState, Outcome
from core.domain.limits import UserLimits
from core.ports.job_status import JobStatusPort
from core.ports.rate_limit import RateLimitPort
from tests.contract.conftest import AnyLedger

pytestmark = pytest.mark.contract

Ledger = tuple[JobStatusPort, RateLimitPort]
LIMITS = UserLimits(jobs_per_hour=5, concurrent_running=5)


@pytest.fixture
def ledger(any_ledger: AnyLedger) -> Ledger:
    return any_ledger.jobs, any_ledger.rates


def posted(jobs: JobStatusPort, number: int = 0, limits: UserLimits = LIMITS) -> str:
    request = JobRequest(
        submission_id=f"{number:032x}", user_id="ann", resource_class="small", benchmark="synthetic",
        overrides={"epochs": number},
    )  # fmt: skip
    return jobs.admit(request, limits).job.job_id


def claimed(jobs: JobStatusPort, lease: float = 60.0) -> Claim:
    claim = jobs.claim("small", worker="w", lease_seconds=lease, running_limit=5)
    assert claim is not None
    return claim


def left(ledger: Ledger) -> int:
    return ledger[1].allowance("ann", LIMITS).remaining


def test_a_cancelled_pending_job_gives_its_place_back(ledger: Ledger) -> None:
    """JOB-4; once, however often it is cancelled."""
    jobs, _rates = ledger
    posted(jobs, 1)
    first = posted(jobs, 2)
    for _time in range(2):
        assert jobs.cancel(first).state is JobState.CANCELLED
        assert left(ledger) == 4


def test_a_job_cancelled_after_its_start_keeps_its_place(ledger: Ledger) -> None:
    """Its run was paid for: while it runs, and when it waits for its second attempt."""
    jobs, _rates = ledger
    posted(jobs, 1)
    claim = claimed(jobs)
    jobs.note(claim, sandbox="a")
    jobs.cancel(claim.job_id)
    jobs.finish(claim, Outcome(state=JobState.CANCELLED))
    assert left(ledger) == 4
    again = posted(jobs, 2)
    jobs.hand_back(claimed(jobs), count_attempt=True)
    jobs.cancel(again)
    assert left(ledger) == 3


def test_a_job_put_back_before_its_start_gives_its_place_back(ledger: Ledger) -> None:
    """A runner that stopped before it began the job is no start: cancelled in the queue, or while it is handed back."""
    jobs, _rates = ledger
    waiting = posted(jobs, 1)
    jobs.hand_back(claimed(jobs), count_attempt=False)
    jobs.cancel(waiting)
    assert left(ledger) == 5
    posted(jobs, 2)
    claim = claimed(jobs)
    jobs.cancel(claim.job_id)
    assert jobs.hand_back(claim, count_attempt=False).state is JobState.CANCELLED
    assert left(ledger) == 5


@pytest.mark.parametrize(("sandbox", "remaining"), [(None, 5), ("a", 4)])
def test_a_cancelled_job_whose_runner_died(ledger: Ledger, sandbox: str | None, remaining: int) -> None:
    """The sweep gives the place back only where nothing was begun."""
    jobs, _rates = ledger
    posted(jobs)
    claim = claimed(jobs)
    if sandbox:
        jobs.note(claim, sandbox=sandbox)
    jobs.cancel(claim.job_id)
    jobs.presume_dead(claim.job_id, claim.mark)
    (ended,) = jobs.sweep(max_attempts=3).ended
    assert ended.state is JobState.CANCELLED
    assert left(ledger) == remaining


def test_posting_and_cancelling_without_end_is_bounded(ledger: Ledger) -> None:
    """Each cancelled job leaves a record for its 90 days, so places come back only so often in an hour."""
    jobs, _rates = ledger
    limits = LIMITS.model_copy(update={"jobs_per_hour": 2})
    for number in range(MOST_GIVEN_BACK + 2):
        jobs.cancel(posted(jobs, number, limits))
    with pytest.raises(LimitReached):
        posted(jobs, 9999, limits)
