"""The ledger's contract, one text for the twin in memory and for Redis."""

from __future__ import annotations

import random
import time
import timeit
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import redis

from core.adapters.redis.connection import connect
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.rate_limit import RedisRateLimit
from core.domain.errors import Conflict, InvalidInput, KeyReused, LeaseLost, LimitReached, NotFound, Unavailable
from core.domain.job import MAX_LOSSES, Claim, JobRequest, JobState, Outcome, Phase
from core.domain.limits import UserLimits
from core.domain.verdict import FailureReason
from core.ports.job_status import JobStatusPort
from core.ports.rate_limit import RateLimitPort
from tests.twins.job_status import MemoryJobStatus

pytestmark = pytest.mark.contract

LIMITS = UserLimits(jobs_per_hour=5, concurrent_running=1)
LEASE = 60.0


@pytest.fixture(params=["memory", "redis"])
def ledger(request: pytest.FixtureRequest) -> Iterator[tuple[JobStatusPort, RateLimitPort]]:
    if request.param == "memory":
        twin = MemoryJobStatus()
        yield twin, twin
        return
    client = request.getfixturevalue("redis_client")
    yield RedisJobStatus(client), RedisRateLimit(client)


@pytest.fixture
def jobs(ledger: tuple[JobStatusPort, RateLimitPort]) -> JobStatusPort:
    return ledger[0]


def request_of(user: str = "ann", number: int = 0, resource_class: str = "small") -> JobRequest:
    return JobRequest(
        submission_id=f"{number:032x}", user_id=user, resource_class=resource_class, benchmark="synthetic",
        overrides={"epochs": number},
    )  # fmt: skip


def claimed(jobs: JobStatusPort, *, lease: float = LEASE, running_limit: int = 1) -> Claim:
    claim = jobs.claim("small", worker="w", lease_seconds=lease, running_limit=running_limit)
    assert claim is not None
    return claim


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
    """JOB-4: counting and checking are one step, so nobody slips through between them."""

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


def test_lists_are_newest_first_by_user_and_state_in_pages(jobs: JobStatusPort) -> None:
    """JOB-8: every job once, whatever the size of a page."""
    many = UserLimits(jobs_per_hour=100, concurrent_running=10)
    ids = []
    for number in range(7):
        ids.append(jobs.admit(request_of("ann", number), many).job.job_id)
        time.sleep(0.001)
    jobs.admit(request_of("bob", 0), many)
    first = jobs.claim("small", worker="w", lease_seconds=LEASE, running_limit=9)
    assert first is not None
    seen, cursor = [], None
    while True:
        page = jobs.list_jobs(user_id="ann", limit=3, cursor=cursor)
        seen += [job.job_id for job in page.jobs]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]
    assert len(jobs.list_jobs().jobs) == 8
    assert [job.job_id for job in jobs.list_jobs(state=JobState.RUNNING).jobs] == [first.job_id]
    assert len(jobs.list_jobs(user_id="ann", state=JobState.PENDING).jobs) == 6
    assert jobs.list_jobs(user_id="nobody").jobs == ()


def test_lists_by_benchmark_hold_through_every_state(jobs: JobStatusPort) -> None:
    """JOB-8: each filter, alone and with the others, shows a job where it stands now and nowhere else."""
    many = UserLimits(jobs_per_hour=100)
    here = jobs.admit(request_of("ann"), many).job.job_id
    there = jobs.admit(replace(request_of("ann"), benchmark="other"), many).job.job_id
    bobs = jobs.admit(replace(request_of("bob"), benchmark="other"), many).job.job_id
    jobs.cancel(there)

    def listed(**filters: str | JobState) -> set[str]:
        return {job.job_id for job in jobs.list_jobs(**filters).jobs}  # type: ignore[arg-type]

    assert listed(benchmark="other") == {there, bobs}
    assert listed(benchmark="other", user_id="ann") == {there}
    assert listed(benchmark="other", state=JobState.PENDING) == {bobs}
    assert listed(benchmark="other", state=JobState.CANCELLED, user_id="ann") == {there}
    assert listed(benchmark="synthetic", state=JobState.PENDING) == {here}
    assert listed(benchmark="nothing") == set()


def test_completed_jobs_of_a_benchmark_are_counted(jobs: JobStatusPort) -> None:
    """SCO-4: the count tells that a board has changed; no other end of a job does."""
    assert jobs.completed("synthetic") == 0
    for number, state in enumerate((JobState.COMPLETED, JobState.FAILED, JobState.COMPLETED)):
        jobs.admit(request_of(number=number), LIMITS)
        jobs.finish(claimed(jobs), Outcome(state=state))
    jobs.admit(request_of(number=4), LIMITS)
    assert (jobs.completed("synthetic"), jobs.completed("other")) == (2, 0)


def test_positions_of_a_page_are_asked_at_once(jobs: JobStatusPort) -> None:
    """JOB-5: of several classes, in any order; a job that does not wait has none."""
    many = UserLimits(jobs_per_hour=100, concurrent_running=10)
    ids = [jobs.admit(request_of("ann", number), many).job.job_id for number in range(3)]
    medium = jobs.admit(request_of("ann", 0, "medium"), many).job.job_id
    jobs.cancel(ids[0])
    assert jobs.positions([medium, *ids[::-1]]) == {medium: 1, ids[1]: 1, ids[2]: 2}
    assert jobs.positions([]) == {}


def test_a_foreign_cursor_is_refused(jobs: JobStatusPort) -> None:
    """A cursor is somebody's text until it is checked."""
    with pytest.raises(InvalidInput):
        jobs.list_jobs(cursor="+inf or so")


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


def crowded(jobs: JobStatusPort) -> list[str]:
    """Users with many and few jobs, running and waiting, in two classes; the same on each ledger."""
    dice = random.Random(7)
    for number in range(60):
        user = f"user{dice.choice([0, 0, 0, 1, 1, 2, 3, 4])}"
        wanted = request_of(user, number, dice.choice(["small", "small", "medium"]))
        jobs.admit(wanted, UserLimits(jobs_per_hour=100, queue_when_over=True))
    for resource_class in ["small"] * 5 + ["medium"] * 2:
        assert jobs.claim(resource_class, worker="w", lease_seconds=LEASE, running_limit=2)
    return [job.job_id for job in jobs.list_jobs(state=JobState.PENDING, limit=99).jobs]


def test_places_of_a_crowd_are_right(jobs: JobStatusPort) -> None:
    """JOB-5: asked for a page or one by one; both ledgers agree, of which one sorts them all."""
    waiting, twin = crowded(jobs), MemoryJobStatus()
    places = jobs.positions(waiting)
    assert {job_id: jobs.positions([job_id])[job_id] for job_id in waiting} == places
    assert twin.positions(crowded(twin)) == places


def test_a_page_of_places_costs_little_more_than_one(redis_client: redis.Redis) -> None:
    """PER-7: Redis does nothing else meanwhile, so a page must not cost its length times the users that wait."""
    jobs = RedisJobStatus(redis_client)
    ids = [jobs.admit(request_of(f"user{number}", number), LIMITS).job.job_id for number in range(200)]
    one, page = (
        min(timeit.repeat(lambda asked=asked: jobs.positions(asked), number=3, repeat=7)) for asked in (ids[:1], ids)
    )
    assert page < 40 * one
