"""The ledger's contract for jobs that are posted: same requests, keys, limits, refunds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.adapters.redis.connection import connect
from core.adapters.redis.job_status import RedisJobStatus
from core.domain.errors import KeyReused, LimitReached, NotFound, Unavailable
from core.domain.job import JobState, Phase
from core.domain.limits import UserLimits
from core.ports.job_status import JobStatusPort
from core.ports.rate_limit import RateLimitPort
from tests.contract.job_status.requests import LEASE, LIMITS, claimed, request_of

pytestmark = pytest.mark.contract


def test_an_admitted_job_is_pending_with_everything_that_was_asked(jobs: JobStatusPort) -> None:
    """Nothing of a request is lost on its way into the ledger."""
    request = request_of(number=3)
    job = jobs.admit(request, LIMITS).job
    assert (job.state, job.phase, job.attempt) == (JobState.PENDING, Phase.QUEUED, 0)
    assert (job.job_id, job.submission_id, job.overrides) == (request.job_id, request.submission_id, {"epochs": 3})
    assert jobs.get(job.job_id) == job


def test_the_same_request_again_is_the_same_job(jobs: JobStatusPort) -> None:
    """JOB-2: one entry in the queue, and the second post takes nothing of the user's limit."""
    first = jobs.admit(request_of(), UserLimits(jobs_per_hour=1))
    again = jobs.admit(request_of(), UserLimits(jobs_per_hour=1))
    assert (first.created, again.created) == (True, False)
    assert again.job.job_id == first.job.job_id
    assert jobs.pending("small") == 1


def test_a_key_stands_for_one_request(ledger: tuple[JobStatusPort, RateLimitPort]) -> None:
    """JOB-2: the same key and request is the same job, another request under it is refused, a new key a new job."""
    jobs, rates = ledger
    keyed = replace(request_of(), idempotency_key="k")
    first = jobs.admit(keyed, LIMITS).job
    assert jobs.admit(keyed, LIMITS).job.job_id == first.job_id
    for other in (replace(keyed, overrides={"epochs": 9}), replace(keyed, rerun_of=first.job_id)):
        with pytest.raises(KeyReused):
            jobs.admit(other, LIMITS)
    others = [request_of(), replace(keyed, idempotency_key="l"), replace(request_of("bob"), idempotency_key="k")]
    assert all(jobs.admit(other, LIMITS).created for other in others)
    assert rates.allowance("ann", LIMITS).remaining == 2


def test_a_rerun_names_the_job_that_it_repeats(jobs: JobStatusPort) -> None:
    """JOB-2: which job was repeated can be read for ever."""
    first = jobs.admit(request_of(), LIMITS).job
    again = jobs.admit(replace(request_of(), idempotency_key="k", rerun_of=first.job_id), LIMITS).job
    assert (jobs.get(first.job_id).rerun_of, jobs.get(again.job_id).rerun_of) == (None, first.job_id)


def test_an_admission_tells_what_is_left(jobs: JobStatusPort) -> None:
    """JOB-4: counted in the same step, so that parallel requests are each told another amount."""
    with ThreadPoolExecutor(max_workers=5) as pool:
        told = list(pool.map(lambda number: jobs.admit(request_of(number=number), LIMITS).allowance, range(5)))
    assert sorted(allowance.remaining for allowance in told) == [0, 1, 2, 3, 4]
    assert all(allowance.limit == 5 and 3500 < allowance.renews_in_seconds <= 3601 for allowance in told)
    with pytest.raises(LimitReached) as refused:
        jobs.admit(request_of(number=5), LIMITS)
    assert refused.value.allowance is not None
    assert refused.value.allowance.remaining == 0
    assert jobs.admit(request_of(number=0), LIMITS).allowance.remaining == 0


def test_a_job_beyond_the_hourly_limit_is_refused_and_leaves_nothing(
    ledger: tuple[JobStatusPort, RateLimitPort],
) -> None:
    """JOB-4: the refusal says when the limit renews; another user is not touched."""
    jobs, rates = ledger
    for number in range(5):
        jobs.admit(request_of(number=number), LIMITS)
    with pytest.raises(LimitReached) as refused:
        jobs.admit(request_of(number=5), LIMITS)
    assert 3500 < refused.value.retry_after_seconds <= 3601
    with pytest.raises(NotFound):
        jobs.get(request_of(number=5).job_id)
    assert jobs.pending("small") == 5
    assert rates.allowance("ann", LIMITS).remaining == 0
    assert 3500 < rates.allowance("ann", LIMITS).renews_in_seconds <= 3601
    assert rates.allowance("bob", LIMITS).remaining == 5


def test_parallel_requests_pass_exactly_the_limit(jobs: JobStatusPort) -> None:
    """JOB-4: counting and checking are one step, so no request passes the limit between them."""

    def post(number: int) -> bool:
        try:
            return jobs.admit(request_of(number=number), LIMITS).created
        except LimitReached:
            return False

    with ThreadPoolExecutor(max_workers=16) as pool:
        assert sum(pool.map(post, range(50))) == 5


def test_a_refund_gives_a_place_back(ledger: tuple[JobStatusPort, RateLimitPort]) -> None:
    """A job that the platform failed does not count."""
    jobs, rates = ledger
    job = jobs.admit(request_of(), LIMITS).job
    assert rates.allowance("ann", LIMITS).remaining == 4
    rates.refund("ann", job.job_id)
    assert rates.allowance("ann", LIMITS).remaining == 5


def test_posting_while_a_job_runs_is_refused_or_waits(jobs: JobStatusPort) -> None:
    """JOB-4: MAX_CONCURRENT_RUNNING refuses by default; with OVER_LIMIT=queue the job waits."""
    jobs.admit(request_of(number=0), LIMITS)
    claimed(jobs)
    with pytest.raises(LimitReached):
        jobs.admit(request_of(number=1), LIMITS)
    waiting = jobs.admit(request_of(number=1), LIMITS.model_copy(update={"queue_when_over": True}))
    assert waiting.created
    assert jobs.claim("small", worker="w", lease_seconds=LEASE, running_limit=1) is None


def test_unknown_jobs_are_not_found(jobs: JobStatusPort) -> None:
    """Reading and cancelling what is not there say so."""
    for attempt in (jobs.get, jobs.cancel):
        with pytest.raises(NotFound):
            attempt("0" * 32)


def test_a_ledger_keeps_its_name(jobs: JobStatusPort) -> None:
    """A site finds its own containers again after every restart."""
    assert jobs.ledger_id() == jobs.ledger_id() != ""


def test_a_redis_that_is_away_is_unavailable() -> None:
    """No foreign error leaves the adapter; nothing hangs."""
    away = RedisJobStatus(connect("redis://127.0.0.1:1/0"))
    for attempt in (away.check, lambda: away.get("0" * 32), lambda: away.pending("small")):
        with pytest.raises(Unavailable):
            attempt()
