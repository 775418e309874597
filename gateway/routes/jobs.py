"""Routes for running submissions and for the state of jobs; logs and artifacts have modules of their own."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Header, Query, Response

from core.domain.benchmark import BENCHMARK_NAME
from core.domain.job import JobState
from core.domain.limits import UserLimits
from core.ports.job_status import Admission
from core.settings import Settings
from core.usecases.compare_rerun import CompareRerun
from core.usecases.enqueue_job import EnqueueJob, RerunJob, RingForJob
from core.usecases.get_job_results import GetJobResults
from core.usecases.get_provenance import GetProvenance
from core.usecases.jobs import CancelJob, GetJobStatus, JobStanding, ListJobs
from core.usecases.requirements_check import RequirementsCheck
from core.wiring import Ports
from gateway.dependencies import CurrentUser, PortsPart, QueueForecastPart, SettingsPart
from gateway.problems.rate_headers import DOCUMENTED, rate_headers
from gateway.schemas.jobs import JobId, JobList, JobView, NewJob
from gateway.schemas.provenance import ProvenanceView
from gateway.schemas.results import ResultsView

router = APIRouter(prefix="/jobs", tags=["jobs"])

IdempotencyKey = Annotated[
    str,
    Header(
        max_length=200,
        description="The same key and request again answer the same job; another request under it is refused (409).",
    ),
]
AsJob = Annotated[bool, Query(description="Run what was tried as a job that counts; for other jobs no difference.")]
_LOCATION = {"Location": {"description": "Where the job's status is.", "schema": {"type": "string"}}}
_ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"headers": DOCUMENTED | _LOCATION}, 429: {"headers": DOCUMENTED}}


@router.post("", status_code=HTTPStatus.ACCEPTED, responses=_ACCEPTED)
def enqueue(
    new: NewJob,
    user: CurrentUser,
    ports: PortsPart,
    settings: SettingsPart,
    response: Response,
    afterwards: BackgroundTasks,
    idempotency_key: IdempotencyKey = "",
) -> JobView:
    """Run a submission. The same request again answers the same job, unless `Idempotency-Key` differs.

    With `trial` it is tried on a few pictures, for about a minute. Status and results say whether it would be ranked;
    nothing is recorded. Trials have a limit of their own per hour, and a user has one at a time.
    """
    admission = enqueuing(ports, settings)(
        user, new.submission_id, new.config, idempotency_key=idempotency_key, trial=new.trial
    )
    return _accepted(admission, ports, response, afterwards)


@router.post("/{job_id}/rerun", status_code=HTTPStatus.ACCEPTED, responses=_ACCEPTED)
def rerun(
    job_id: JobId,
    user: CurrentUser,
    ports: PortsPart,
    settings: SettingsPart,
    response: Response,
    afterwards: BackgroundTasks,
    *,
    as_job: AsJob = False,
    idempotency_key: IdempotencyKey = "",
) -> JobView:
    """Run the same submission with the same config once more: a new job, yours, counted, with `rerun_of` set.

    Of a trial it is another trial, or with `as_job` a job that counts. Each call is another job. To repeat a call
    safely, send an `Idempotency-Key`.
    """
    usecase = RerunJob(enqueue=enqueuing(ports, settings))
    return _accepted(usecase(user, job_id, idempotency_key=idempotency_key, as_job=as_job), ports, response, afterwards)


def enqueuing(ports: Ports, settings: Settings, *, limits: UserLimits | None = None) -> EnqueueJob:
    """The use case, with the site's limits unless others are given."""
    return EnqueueJob(
        storage=ports.storage,
        job_status=ports.job_status,
        benchmarks=ports.benchmarks,
        limits=limits or settings.user_limits,
        resource_classes=[item.name for item in settings.resource_classes],
        default_benchmark=settings.default_benchmark,
        requirements=RequirementsCheck(runners=ports.runners, resource_classes=settings.resource_classes),
    )


def _accepted(admission: Admission, ports: Ports, response: Response, afterwards: BackgroundTasks) -> JobView:
    """The answer for an admitted job. Runners are notified after it is sent."""
    afterwards.add_task(RingForJob(job_queue=ports.job_queue), admission.job)
    response.headers.update(rate_headers(admission.allowance))
    response.headers["Location"] = f"/jobs/{admission.job.job_id}/status"
    return JobView.of(JobStanding(job=admission.job, queue_position=admission.queue_position))


@router.get("")
def list_jobs(
    user: CurrentUser,
    ports: PortsPart,
    status: JobState | None = None,
    benchmark: Annotated[str | None, Query(pattern=BENCHMARK_NAME)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | None, Query(max_length=64, json_schema_extra={"pattern": r"^([0-9]{10}\.[0-9]{6})?$"})
    ] = None,
) -> JobList:
    """Your jobs, newest first; an admin sees everybody's. Trials are among them, except with `benchmark`."""
    usecase = ListJobs(job_status=ports.job_status)
    page = usecase(user, state=status, benchmark=benchmark, limit=limit, cursor=cursor)
    return JobList(items=[JobView.of(item) for item in page.standings], next_cursor=page.next_cursor)


@router.get("/{job_id}/status")
def status(job_id: JobId, user: CurrentUser, ports: PortsPart, forecast: QueueForecastPart) -> JobView:
    """The state of a job; for a waiting one also when it may start, or that no runner takes it now."""
    standing = GetJobStatus(job_status=ports.job_status)(user, job_id)
    return JobView.of(standing, *forecast.of(standing))


@router.post("/{job_id}/cancel", status_code=HTTPStatus.ACCEPTED)
def cancel(job_id: JobId, user: CurrentUser, ports: PortsPart) -> JobView:
    """A waiting job never starts; a running one is stopped within seconds. 409 once its result is being made final."""
    return JobView.of(CancelJob(job_status=ports.job_status)(user, job_id))


@router.get("/{job_id}/results")
def results(job_id: JobId, user: CurrentUser, ports: PortsPart, settings: SettingsPart) -> ResultsView:
    """The score of an ended job as the platform recorded it, with links to its run in MLflow.

    `tracking` says whether that run still agrees; `rerun`, whether a job that repeats another one has its result.
    """
    found = getting_results(ports, settings)(user, job_id)
    compare = CompareRerun(job_status=ports.job_status, results=ports.results, benchmarks=ports.benchmarks)
    return ResultsView.of(found, compare(user, job_id))


@router.get("/{job_id}/provenance")
def provenance(job_id: JobId, user: CurrentUser, ports: PortsPart) -> ProvenanceView:
    """Where the result of an ended job comes from: code, config, image, data, versions, limits, scorer.

    Sealed with the result; MLflow is not asked.
    """
    usecase = GetProvenance(job_status=ports.job_status, results=ports.results)
    return ProvenanceView.model_validate(usecase(user, job_id))


def getting_results(ports: Ports, settings: Settings) -> GetJobResults:
    """The use case on this process's ports."""
    return GetJobResults(
        job_status=ports.job_status,
        results=ports.results,
        tracking=ports.tracking,
        mlflow_url=settings.mlflow_url,
        trial_files=ports.trial_files,
    )
