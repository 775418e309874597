"""EnqueueJob and RerunJob: request a run of a submission; the same request again is the same job (JOB-1, JOB-2)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from core.domain import strict_json
from core.domain.errors import Fault, InvalidInput, Unavailable
from core.domain.job import Job, JobRequest, JobState
from core.domain.limits import UserLimits
from core.domain.submission import JSON_DEPTH
from core.domain.user import User
from core.ports.benchmarks import BenchmarkPort
from core.ports.job_queue import JobQueuePort
from core.ports.job_status import Admission, JobStatusPort
from core.ports.storage import StoragePort
from core.usecases.jobs import visible_job
from core.usecases.requirements_check import RequirementsCheck
from core.usecases.submissions import GetSubmission

MAX_OVERRIDES_BYTES = 16 * 1024

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class EnqueueJob:
    """Raises InvalidInput, NotFound (not the user's submission), LimitReached, KeyReused, Unavailable."""

    storage: StoragePort
    job_status: JobStatusPort
    benchmarks: BenchmarkPort
    limits: UserLimits
    resource_classes: Sequence[str]
    """The first is the default."""
    default_benchmark: str
    requirements: RequirementsCheck

    def __call__(
        self,
        user: User,
        submission_id: str,
        config: Mapping[str, Any],
        *,
        idempotency_key: str = "",
        rerun_of: str | None = None,
        trial: bool = False,
    ) -> Admission:
        GetSubmission(storage=self.storage)(user, submission_id)
        request = replace(
            self._request(user, submission_id, config),
            idempotency_key=idempotency_key,
            rerun_of=rerun_of,
            trial=trial,
        )
        return self.job_status.admit(request, self.limits)

    def _request(self, user: User, submission_id: str, config: Mapping[str, Any]) -> JobRequest:
        overrides = dict(config)
        resource_class = overrides.pop("resource_class", self.resource_classes[0])
        benchmark = overrides.pop("benchmark", self.default_benchmark)
        class_faults = self._class_faults(resource_class)
        folder = self.storage.submission_files(submission_id)
        faults = [
            *(class_faults or self.requirements.for_job(folder, str(resource_class))),
            *self._benchmark_faults(benchmark),
            *_override_faults(overrides),
        ]
        if faults:
            raise InvalidInput(*faults)
        return JobRequest(
            submission_id=submission_id,
            user_id=user.user_id,
            resource_class=resource_class,
            benchmark=benchmark,
            overrides=overrides,
        )

    def _class_faults(self, name: object) -> list[Fault]:
        if name in self.resource_classes:
            return []
        return [Fault(field="config.resource_class", rule=f"must be one of {', '.join(self.resource_classes)}")]

    def _benchmark_faults(self, name: object) -> list[Fault]:
        known = [benchmark.name for benchmark in self.benchmarks.list_benchmarks()]
        if name in known:
            return []
        offered = ", ".join(known) or "none: this site has no benchmark yet"
        if name in self.benchmarks.broken():
            rule = f"{name!r} is being mended and takes no jobs now. Ask your admin, or use one of {offered}"
            return [Fault(field="config.benchmark", rule=rule)]
        return [Fault(field="config.benchmark", rule=f"must be one of {offered}")]


@dataclass(frozen=True, kw_only=True, slots=True)
class RingForJob:
    """Wakes the runners for an accepted job. Callers need not wait for it.

    A ring that fails or is lost does no harm: the job is in the ledger, and the sweeper rings for waiting jobs.
    """

    job_queue: JobQueuePort

    def __call__(self, job: Job) -> None:
        if job.state is not JobState.PENDING:
            return
        try:
            self.job_queue.ring(job.resource_class)
        except Unavailable as error:
            log.warning("doorbell not rung", resource_class=job.resource_class, error=str(error))


@dataclass(frozen=True, kw_only=True, slots=True)
class RerunJob:
    """Runs the same submission and config once more: a new job that belongs to the caller and counts for the caller.

    Of a trial it makes another trial, or with `as_job` a job that counts. Each call makes another job, unless it has
    the same idempotency key. Raises what EnqueueJob raises, and NotFound for the job.
    """

    enqueue: EnqueueJob

    def __call__(self, user: User, job_id: str, *, idempotency_key: str = "", as_job: bool = False) -> Admission:
        job = visible_job(self.enqueue.job_status, user, job_id)
        config = {**job.overrides, "resource_class": job.resource_class, "benchmark": job.benchmark}
        key = idempotency_key or secrets.token_hex(16)
        return self.enqueue(
            user, job.submission_id, config, idempotency_key=key, rerun_of=job.job_id, trial=job.trial and not as_job
        )


def _override_faults(overrides: Mapping[str, Any]) -> list[Fault]:
    """Rules that the overrides break as JSON: they are written, read and written again on their way to the run."""
    try:
        text = json.dumps(overrides, allow_nan=False, ensure_ascii=False)
        strict_json.parse(text, max_depth=JSON_DEPTH)
    except strict_json.BadJson as error:
        return [Fault(field="config", rule=str(error))]
    except (ValueError, RecursionError):  # NaN, infinities, too deep nesting
        return [Fault(field="config", rule=f"must be valid JSON, finite, nested at most {JSON_DEPTH} levels")]
    if len(text.encode()) > MAX_OVERRIDES_BYTES:
        return [Fault(field="config", rule=f"must be at most {MAX_OVERRIDES_BYTES} bytes of JSON")]
    return []
