"""Ports on twins and the use cases on them, as the gateway builds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.domain.job import JobState, Outcome
from core.domain.limits import MEDIUM, SMALL, UserLimits
from core.domain.metrics import RunMetrics
from core.domain.user import Role, User
from core.ports.tracking import Result
from core.usecases.enqueue_job import EnqueueJob, RingForJob
from core.usecases.requirements_check import RequirementsCheck
from core.wiring import Ports

ADA, BOB, ROOT = User(user_id="ada"), User(user_id="bob"), User(user_id="root", role=Role.ADMIN)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Ports on twins, one submission of ada's, and the use cases as the gateway builds them."""

    ports: Ports
    submission_id: str

    def enqueue(self, user: User = ADA, config: dict[str, Any] | None = None, **options: Any) -> Any:
        ring = RingForJob(job_queue=options.pop("job_queue", self.ports.job_queue))
        usecase = EnqueueJob(
            storage=self.ports.storage,
            job_status=self.ports.job_status,
            benchmarks=self.ports.benchmarks,
            limits=options.pop("limits", UserLimits()),
            resource_classes=["small", "medium"],
            requirements=RequirementsCheck(runners=self.ports.runners, resource_classes=[SMALL, MEDIUM]),
            default_benchmark="synthetic",
        )
        admission = usecase(user, options.pop("submission_id", self.submission_id), config or {}, **options)
        ring(admission.job)
        return admission

    def run(self) -> Any:
        """Claim the next job, as a runner would."""
        return self.ports.job_status.claim("small", worker="w", lease_seconds=60, running_limit=9)

    def finish(self, value: float = 0.5, user: User = ADA, **config: Any) -> str:
        """A whole run with that image_auc; answers its job's id."""
        self.enqueue(user, config)
        claim = self.run()
        metrics = RunMetrics(params={"method": "padim"}, metrics={"image_auc": value}, performance={})
        result = Result(job=claim.job, metrics=metrics, measured={"wall_seconds": 2.0})
        ref = self.ports.tracking.record(result)
        outcome = Outcome(state=JobState.COMPLETED, run_id=ref.run_id)
        self.ports.job_status.finish(claim, outcome, result.sealed_as(ref))
        return claim.job_id
