"""The ledger's contract where a cancel, a runner's last word and a sweep meet (R28): only in Redis can they."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import redis

from core.adapters.redis.job_status import RedisJobStatus
from core.domain.errors import Conflict, LeaseLost
from core.domain.job import FINAL, MAX_ATTEMPTS, MOVES, Claim, JobRequest, JobState, Outcome
from core.domain.limits import UserLimits

pytestmark = pytest.mark.contract

ROUNDS = 150
LIMITS = UserLimits(jobs_per_hour=1000, concurrent_running=1, queue_when_over=True)
LATEST_SECONDS = 0.001
"""Each starts up to so much after the others, so that every order is met: a call takes about a third of it."""


@pytest.fixture
def jobs(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> RedisJobStatus:
    """Where the first sweep that sees a cancel carries it out, so that sweeps race, too."""
    monkeypatch.setattr("core.adapters.redis.job_status.CANCEL_SECONDS", 0.0)
    return RedisJobStatus(redis_client)


def claimed(jobs: RedisJobStatus, number: int) -> Claim:
    request = JobRequest(submission_id=f"{number:032x}", user_id="ann", resource_class="small", benchmark="synthetic")
    jobs.admit(request, LIMITS)
    claim = jobs.claim("small", worker="w", lease_seconds=60, running_limit=1)
    assert claim is not None
    assert claim.job_id == request.job_id
    return claim


def at_the_same_time(pool: ThreadPoolExecutor, rng: random.Random, steps: list[Callable[[], object]]) -> list[object]:
    """What each of them answered."""
    line = threading.Barrier(len(steps))

    def carried_out(step: Callable[[], object], late: float) -> object:
        line.wait()
        threading.Event().wait(late)
        return step()

    tasks = [pool.submit(carried_out, step, rng.uniform(0, LATEST_SECONDS)) for step in steps]
    return [task.result(10) for task in tasks]


def test_a_cancel_against_a_finish_leaves_what_was_answered(jobs: RedisJobStatus) -> None:
    """Whoever was told a final state finds that state ever after; what is seen meanwhile are moves of the table."""
    rng, ways = random.Random(28), set()
    with ThreadPoolExecutor(max_workers=4) as pool:
        for number in range(ROUNDS):
            claim = claimed(jobs, number)
            seen: list[JobState] = []
            finished, cancelled, _swept, _looked = at_the_same_time(
                pool, rng,
                [
                    lambda claim=claim: finish(jobs, claim), lambda claim=claim: cancel(jobs, claim.job_id),
                    lambda: jobs.sweep(max_attempts=MAX_ATTEMPTS),
                    lambda claim=claim, seen=seen: seen.extend(jobs.get(claim.job_id).state for _look in range(5)),
                ],
            )  # fmt: skip
            jobs.sweep(max_attempts=MAX_ATTEMPTS)
            state = jobs.get(claim.job_id).state
            ways.add((finished, cancelled, state))
            assert state in FINAL
            assert {answer for answer in (finished, cancelled) if answer in FINAL} <= {state}
            assert all(new is old or new in MOVES[old] for old, new in pairwise([*seen, state]))
            assert finished is not None or state is JobState.CANCELLED  # nothing but a cancel takes a lease away here
            assert (finish(jobs, claim), jobs.get(claim.job_id).state) == (None, state)
            assert cancel(jobs, claim.job_id) in {state, None}
            assert jobs.get(claim.job_id).state is state
    assert {state for _finished, _cancelled, state in ways} == {JobState.COMPLETED, JobState.CANCELLED}


def finish(jobs: RedisJobStatus, claim: Claim) -> JobState | None:
    """None when the job was taken away."""
    try:
        return jobs.finish(claim, Outcome(state=JobState.COMPLETED)).state
    except LeaseLost:
        return None


def cancel(jobs: RedisJobStatus, job_id: str) -> JobState | None:
    """None when the job had ended otherwise."""
    try:
        return jobs.cancel(job_id).state
    except Conflict:
        return None
