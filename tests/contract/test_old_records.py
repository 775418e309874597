"""What retention asks the ledger: nothing is left out, however much is on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import redis

from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.old_records import BATCH, RedisOldRecords
from core.domain.job import JobRequest
from core.domain.limits import UserLimits

pytestmark = pytest.mark.contract


def test_every_job_is_looked_at_however_many_there_are(redis_client: redis.Redis) -> None:
    """RUN-7: of more jobs than are read at once none loses its submission, and none is taken for unknown."""
    ledger, limits = RedisJobStatus(redis_client), UserLimits(jobs_per_hour=10 * BATCH)
    submissions = {f"{number:032x}" for number in range(2 * BATCH + 3)}
    jobs = [
        ledger.admit(JobRequest(submission_id=one, user_id="ann", resource_class="small", benchmark="b"), limits).job
        for one in submissions
    ]
    records, now = RedisOldRecords(redis_client), datetime.now(UTC)
    for since in (now - timedelta(days=90), now + timedelta(days=1)):  # they are young; they wait
        assert set(records.needed_submissions(since)) == submissions
    job_ids = [job.job_id for job in jobs]
    assert set(records.known(job_ids)) == set(job_ids)
    redis_client.delete(*(f"leaderboard:job:{job_id}" for job_id in job_ids))
    assert records.trim(now + timedelta(days=1)) == 8 * len(jobs)  # four lists, and each by state
