"""The ledger's contract for lists, counts and queue positions."""

from __future__ import annotations

import random
import time
import timeit
from dataclasses import replace

import pytest
import redis

from core.adapters.redis.job_status import RedisJobStatus
from core.domain.errors import InvalidInput
from core.domain.job import JobState, Outcome
from core.domain.limits import UserLimits
from core.ports.job_status import JobStatusPort
from tests.contract.job_status.requests import LEASE, LIMITS, claimed, request_of
from tests.twins.job_status import MemoryJobStatus

pytestmark = pytest.mark.contract


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
