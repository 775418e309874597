"""What admins can do with runners and with failed steps of the platform."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.domain.errors import Conflict, NotFound
from core.domain.job import FINAL, JobState
from core.domain.runners import SeenRunner, Wish
from core.domain.user import User
from core.domain.verdict import FailureReason
from core.ports.dead_letters import DeadLettersPort
from core.ports.job_queue import JobQueuePort
from core.ports.job_status import Admission
from core.ports.rate_limit import RateLimitPort
from core.ports.runners import RunnersPort
from core.usecases.enqueue_job import RerunJob


@dataclass(frozen=True, kw_only=True, slots=True)
class SteerRunner:
    """Sets a wish for one runner, or for all on a host. Raises NotFound for a name that no report has."""

    runners: RunnersPort
    job_queue: JobQueuePort

    def __call__(self, name: str, wish: Wish) -> list[SeenRunner]:
        found = named(self.runners, name)
        self.runners.set_wish(name, wish)
        if wish is Wish.RUN:
            for resource_class in {item.name for seen in found for item in seen.report.classes}:
                self.job_queue.ring(resource_class)
        return named(self.runners, name)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeRunner:
    """Requests a canary on a runner's host now. Raises NotFound."""

    runners: RunnersPort

    def __call__(self, name: str) -> list[SeenRunner]:
        found = named(self.runners, name)
        for host in {seen.report.host for seen in found}:
            self.runners.ask_canary(host)
        return found


def named(runners: RunnersPort, name: str) -> list[SeenRunner]:
    """The runner of that name, or all runners on the host of that name. Raises NotFound."""
    found = [seen for seen in runners.runners() if name in {seen.report.name, seen.report.host}]
    if not found:
        raise NotFound("runner", name)
    return found


SCORING_STEPS = frozenset({"score", "rescore"})
"""Steps that compute a score of a run that has ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryDeadLetter:
    """Repeats the job of a failed step as a new job of its user's, which counts nowhere; the letter is removed.

    A final state never changes, so the failed job stays as it is. The admin may see the user's submission.
    Raises NotFound, Conflict, and what EnqueueJob raises.
    """

    dead_letters: DeadLettersPort
    rate_limit: RateLimitPort
    rerun: RerunJob
    """Its limits refuse no job: this rerun is the platform's."""

    def __call__(self, admin: User, letter_id: str) -> Admission:
        letter = self.dead_letters.get(letter_id)
        if letter.failure.job_id is None:
            raise Conflict("This step belongs to no job. It repeats itself; drop the letter once you have read it.")
        job = self.rerun.enqueue.job_status.get(letter.failure.job_id)
        if letter.failure.step in SCORING_STEPS and job.state is JobState.COMPLETED:
            raise Conflict(
                f"The run of this job is kept. Mend what failed, then: POST /admin/results/{job.job_id}/rescore"
            )
        if job.state not in FINAL:
            raise Conflict("The job of this step has not ended: the platform runs it again by itself.")
        if job.state is not JobState.FAILED or job.failure_reason is not FailureReason.PLATFORM:
            raise Conflict(f"The job of this step has ended as {job.state}, which the platform did not cause.")
        owner = replace(admin, user_id=job.user_id)  # the job may repeat another user's submission
        key = f"dead letter {letter_id} {letter.last_at.isoformat()}"  # two requests for the same letter make one job
        admission = self.rerun(owner, job.job_id, idempotency_key=key)
        self.rate_limit.refund(job.user_id, admission.job.job_id)
        self.dead_letters.drop(letter_id)
        return admission
