"""A ledger whose runs lose their runner, for the tests of what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.job import MAX_ATTEMPTS, Claim, JobRequest, Phase
from core.domain.limits import UserLimits
from core.ports.job_status import JobStatusPort, Swept
from core.ports.rate_limit import RateLimitPort

LIMITS = UserLimits(jobs_per_hour=50, concurrent_running=1, queue_when_over=True)


LEASE = 60.0


HOST = "engine-a"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    jobs: JobStatusPort
    rates: RateLimitPort

    def admit(self, user: str = "ann", number: int = 0, resource_class: str = "small") -> str:
        request = JobRequest(
            submission_id=f"{number:032x}", user_id=user, resource_class=resource_class, benchmark="synthetic"
        )
        return self.jobs.admit(request, LIMITS).job.job_id

    def claim(self, *, host: str = HOST, resource_class: str = "small") -> Claim | None:
        return self.jobs.claim(resource_class, worker="w", lease_seconds=LEASE, running_limit=1, host=host)

    def claimed(self, *, host: str = HOST) -> Claim:
        claim = self.claim(host=host)
        assert claim is not None
        return claim

    def launched(self, user: str = "ann") -> Claim:
        """A job whose run has begun on the host."""
        self.admit(user)
        claim = self.claimed()
        self.jobs.note(claim, phase=Phase.RUNNING, sandbox=claim.mark)
        return claim

    def kill(self, claim: Claim) -> Swept:
        assert self.jobs.presume_dead(claim.job_id, claim.mark)
        return self.sweep()

    def sweep(self, host: str = HOST, patience: float = 60.0) -> Swept:
        return self.jobs.sweep(max_attempts=MAX_ATTEMPTS, host=host, host_patience=patience)
