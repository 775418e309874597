"""Requests and claims for the tests of the ledger."""

from __future__ import annotations

from core.domain.job import Claim, JobRequest
from core.domain.limits import UserLimits
from core.ports.job_status import JobStatusPort

LIMITS = UserLimits(jobs_per_hour=5, concurrent_running=1)


LEASE = 60.0


def request_of(user: str = "ann", number: int = 0, resource_class: str = "small") -> JobRequest:
    return JobRequest(
        submission_id=f"{number:032x}", user_id=user, resource_class=resource_class, benchmark="synthetic",
        overrides={"epochs": number},
    )  # fmt: skip


def claimed(jobs: JobStatusPort, *, lease: float = LEASE, running_limit: int = 1) -> Claim:
    claim = jobs.claim("small", worker="w", lease_seconds=lease, running_limit=running_limit)
    assert claim is not None
    return claim
