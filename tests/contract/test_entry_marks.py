"""Marks of entries: one text for the twin in memory and for a real Redis (SCO-5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import redis

from core.adapters.redis.entry_marks import RedisEntryMarks
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.old_records import RedisOldRecords
from core.domain.entry_marks import UNMARKED, EntryMarks
from core.domain.errors import NotFound
from core.domain.job import JobState, Outcome
from core.domain.limits import UserLimits
from core.ports.entry_marks import EntryMarksPort
from core.ports.job_status import JobStatusPort
from tests.builders import NOON, request
from tests.twins.entry_marks import MemoryEntryMarks
from tests.twins.job_status import MemoryJobStatus

pytestmark = pytest.mark.contract

HERE = "synthetic"


@dataclass(frozen=True, kw_only=True)
class Site:
    jobs: JobStatusPort
    marks: EntryMarksPort

    def ended(self, number: int = 1) -> str:
        self.jobs.admit(request(submission_id=f"{number:032x}"), UserLimits(jobs_per_hour=99))
        claim = self.jobs.claim("small", worker="w", lease_seconds=60, running_limit=9)
        assert claim is not None
        return self.jobs.finish(claim, Outcome(state=JobState.FAILED)).job_id


@pytest.fixture(params=["memory", "redis"])
def site(request: pytest.FixtureRequest) -> Site:
    if request.param == "memory":
        ledger = MemoryJobStatus()
        return Site(jobs=ledger, marks=MemoryEntryMarks(ledger))
    client = request.getfixturevalue("redis_client")
    return Site(jobs=RedisJobStatus(client), marks=RedisEntryMarks(client))


def test_each_mark_is_set_and_removed_by_itself(site: Site) -> None:
    """And the number grows with each change, so that a kept board is known to be old."""
    one, other = site.ended(1), site.ended(2)
    assert (site.marks.get(HERE, one), site.marks.of_benchmark(HERE)) == (UNMARKED, {})
    before = site.marks.revision(HERE)
    assert site.marks.put(HERE, one, title="ネ:t", note="n") == EntryMarks(title="ネ:t", note="n")
    assert site.marks.put(HERE, one, is_hidden=True) == EntryMarks(title="ネ:t", note="n", is_hidden=True)
    site.marks.put(HERE, other, disqualified_because="1")
    assert site.marks.put(HERE, one, title="", is_hidden=False) == EntryMarks(note="n")
    assert site.marks.of_benchmark(HERE) == {
        one: EntryMarks(note="n"), other: EntryMarks(disqualified_because="1"),
    }  # fmt: skip
    assert site.marks.revision(HERE) == before + 4
    assert (site.marks.of_benchmark("another"), site.marks.revision("another")) == ({}, 0)


def test_a_job_without_a_record_is_not_marked(site: Site) -> None:
    with pytest.raises(NotFound):
        site.marks.put(HERE, "f" * 32, title="t")
    assert (site.marks.of_benchmark(HERE), site.marks.revision(HERE)) == ({}, 0)


def test_two_people_at_once_lose_nothing(redis_client: redis.Redis) -> None:
    """An owner who writes a title while an admin disqualifies."""
    site = Site(jobs=RedisJobStatus(redis_client), marks=RedisEntryMarks(redis_client))
    job_id = site.ended()
    with ThreadPoolExecutor(8) as pool:
        changes = [{"title": "t"}, {"note": "n"}, {"disqualified_because": "why"}, {"is_hidden": True}] * 5
        for done in [pool.submit(site.marks.put, HERE, job_id, **change) for change in changes]:
            done.result()
    assert site.marks.get(HERE, job_id) == EntryMarks(title="t", note="n", disqualified_because="why", is_hidden=True)


def test_marks_go_with_the_record(redis_client: redis.Redis) -> None:
    """When retention removes it, and when it has expired by itself; those of others stay."""
    site = Site(jobs=RedisJobStatus(redis_client), marks=RedisEntryMarks(redis_client))
    removed, expired, kept = (site.ended(number) for number in range(3))
    for job_id in (removed, expired, kept):
        site.marks.put(HERE, job_id, title="t", is_hidden=True)
    records = RedisOldRecords(redis_client)
    records.forget(removed)
    assert set(site.marks.of_benchmark(HERE)) == {expired, kept}
    redis_client.delete(f"leaderboard:job:{expired}")
    assert records.trim(before=NOON) == 1
    assert set(site.marks.of_benchmark(HERE)) == {kept}
    assert site.marks.revision(HERE) == 3


def test_a_mark_of_a_newer_version_is_passed_over(redis_client: redis.Redis) -> None:
    site = Site(jobs=RedisJobStatus(redis_client), marks=RedisEntryMarks(redis_client))
    job_id = site.ended()
    site.marks.put(HERE, job_id, title="t")
    redis_client.hset(f"leaderboard:marks:{HERE}", f"{job_id}:colour", "red")
    assert site.marks.of_benchmark(HERE) == {job_id: EntryMarks(title="t")}
