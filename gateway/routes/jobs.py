"""Running submissions, and everything about a run."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from core.domain.job import JobState
from core.usecases.enqueue_job import EnqueueJob
from core.usecases.get_job_results import GetJobResults
from core.usecases.jobs import CancelJob, GetJobStatus, ListJobs, ReadJobLog, standing
from core.wiring import Ports
from gateway.auth import CurrentUser
from gateway.parts import PortsPart, SettingsPart
from gateway.schemas import JobList, JobView, LogView, NewJob, ResultsView

router = APIRouter(prefix="/jobs", tags=["jobs"])

JobId = Annotated[str, Path(max_length=64)]


@router.post("", status_code=HTTPStatus.ACCEPTED)
def enqueue(
    new: NewJob,
    user: CurrentUser,
    ports: PortsPart,
    settings: SettingsPart,
    response: Response,
    idempotency_key: Annotated[str, Header(max_length=200)] = "",
) -> JobView:
    """Run a submission. The same request again answers the same job, unless `Idempotency-Key` differs."""
    usecase = EnqueueJob(
        storage=ports.storage,
        job_status=ports.job_status,
        job_queue=ports.job_queue,
        benchmarks=ports.benchmarks,
        limits=settings.user_limits,
        resource_classes=[item.name for item in settings.resource_classes],
        default_benchmark=settings.default_benchmark,
    )
    admission = usecase(user, new.submission_id, new.config, idempotency_key=idempotency_key)
    allowance = ports.rate_limit.allowance(user.user_id, settings.user_limits)
    response.headers["X-RateLimit-Limit"] = str(allowance.limit)
    response.headers["X-RateLimit-Remaining"] = str(allowance.remaining)
    return JobView.of(standing(ports.job_status, admission.job))


@router.get("")
def list_jobs(
    user: CurrentUser,
    ports: PortsPart,
    status: JobState | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> JobList:
    """Your jobs, newest first; an admin sees everybody's."""
    page = ListJobs(job_status=ports.job_status)(user, state=status, limit=limit, cursor=cursor)
    items = [JobView.of(standing(ports.job_status, job)) for job in page.jobs]
    return JobList(items=items, next_cursor=page.next_cursor)


@router.get("/{job_id}/status")
def status(job_id: JobId, user: CurrentUser, ports: PortsPart) -> JobView:
    """Where a job stands."""
    return JobView.of(GetJobStatus(job_status=ports.job_status)(user, job_id))


@router.post("/{job_id}/cancel", status_code=HTTPStatus.ACCEPTED)
def cancel(job_id: JobId, user: CurrentUser, ports: PortsPart) -> JobView:
    """A waiting job never starts; a running one is stopped within seconds."""
    return JobView.of(CancelJob(job_status=ports.job_status)(user, job_id))


@router.get("/{job_id}/logs")
def logs(
    job_id: JobId,
    user: CurrentUser,
    ports: PortsPart,
    tail: Annotated[int, Query(ge=1, le=1000)] = 1000,
    offset: Annotated[int | None, Query(ge=0, le=2**53)] = None,
) -> LogView:
    """The last lines of the log, or with `offset` only what came after that byte."""
    found = _log_reader(ports)(user, job_id, tail_lines=tail, offset=offset)
    return LogView(job_id=job_id, logs=found.text, next_offset=found.next_offset)


def _log_reader(ports: Ports) -> ReadJobLog:
    return ReadJobLog(job_status=ports.job_status, storage=ports.storage)


@router.get("/{job_id}/results")
def results(job_id: JobId, user: CurrentUser, ports: PortsPart, settings: SettingsPart) -> ResultsView:
    """The recorded run of a job that has ended, with links that open it in MLflow."""
    usecase = GetJobResults(job_status=ports.job_status, tracking=ports.tracking, mlflow_url=settings.mlflow_url)
    return ResultsView.of(usecase(user, job_id))
