"""What an owner or an admin may do with a job: see its status and log, list, cancel (JOB-5, JOB-6, JOB-8, JOB-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.errors import NotFound
from core.domain.job import Job, JobState
from core.domain.user import Role, User
from core.ports.job_status import JobStatusPort
from core.ports.storage import LogSlice, StoragePort


@dataclass(frozen=True, kw_only=True, slots=True)
class JobStanding:
    """A job and its position in the queue (None if it does not wait)."""

    job: Job
    queue_position: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingsPage:
    """Some jobs with their positions, newest first, and the cursor of the next page (None at the end)."""

    standings: Sequence[JobStanding]
    next_cursor: str | None


def visible_job(job_status: JobStatusPort, user: User, job_id: str) -> Job:
    """The job. Raises NotFound both for jobs that do not exist and for other users' jobs."""
    job = job_status.get(job_id)
    if not user.may_see(job.user_id):
        raise NotFound("job", job_id)
    return job


@dataclass(frozen=True, kw_only=True, slots=True)
class GetJobStatus:
    """Raises NotFound, Unavailable."""

    job_status: JobStatusPort

    def __call__(self, user: User, job_id: str) -> JobStanding:
        return standing(self.job_status, visible_job(self.job_status, user, job_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class ListJobs:
    """Lists a user's own jobs, for admins all jobs; two calls of the ledger, however long the page.

    Raises InvalidInput, Unavailable.
    """

    job_status: JobStatusPort

    def __call__(
        self, user: User, *, state: JobState | None, benchmark: str | None, limit: int, cursor: str | None
    ) -> StandingsPage:
        owner = None if user.role is Role.ADMIN else user.user_id
        page = self.job_status.list_jobs(user_id=owner, state=state, benchmark=benchmark, limit=limit, cursor=cursor)
        return StandingsPage(standings=standings(self.job_status, page.jobs), next_cursor=page.next_cursor)


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelJob:
    """Raises NotFound, Conflict (it has ended, or its result is being recorded), Unavailable."""

    job_status: JobStatusPort

    def __call__(self, user: User, job_id: str) -> JobStanding:
        visible_job(self.job_status, user, job_id)
        return standing(self.job_status, self.job_status.cancel(job_id))


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadJobLog:
    """The last lines of a log, or what follows a byte offset. Raises NotFound, Unavailable."""

    job_status: JobStatusPort
    storage: StoragePort

    def __call__(self, user: User, job_id: str, *, tail_lines: int, offset: int | None) -> LogSlice:
        visible_job(self.job_status, user, job_id)
        if offset is not None:
            return self.storage.read_log_from(job_id, offset)
        return self.storage.read_log(job_id, tail_lines=tail_lines)


def standing(job_status: JobStatusPort, job: Job) -> JobStanding:
    return standings(job_status, [job])[0]


def standings(job_status: JobStatusPort, jobs: Sequence[Job]) -> Sequence[JobStanding]:
    places = job_status.positions([job.job_id for job in jobs if job.state is JobState.PENDING])
    return tuple(JobStanding(job=job, queue_position=places.get(job.job_id)) for job in jobs)
