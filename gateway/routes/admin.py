"""Routes for admins: the state of runners, pausing and draining them, and failed steps of the platform."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query

from core.domain.job import JobState
from core.domain.limits import UserLimits
from core.domain.runners import SeenRunner, Wish
from core.usecases.enqueue_job import RerunJob, RingForJob
from core.usecases.jobs import JobStanding
from core.usecases.operations import ProbeRunner, RetryDeadLetter, SteerRunner, named
from core.wiring import Ports
from gateway.dependencies import CurrentAdmin, PortsPart, SettingsPart
from gateway.notices import notices
from gateway.routes.jobs import enqueuing
from gateway.schemas.admin import (
    DeadLetterList,
    DeadLetterView,
    HostView,
    Overview,
    QueueView,
    RunnerDetail,
    RunnerList,
    RunnerView,
)
from gateway.schemas.jobs import JobView

router = APIRouter(prefix="/admin", tags=["admin"])

RunnerName = Annotated[
    str,
    Path(
        max_length=200,
        pattern="^[A-Za-z0-9._:-]+$",
        description="A runner's name, or a host's: then all runners there.",
    ),
]
LetterId = Annotated[str, Path(max_length=64)]
UNLIMITED = UserLimits(
    jobs_per_hour=10**9, concurrent_running=10**9, trials_per_hour=10**9, trials_at_once=10**9, queue_when_over=True
)
MOST_RUNNING = 1000


@router.get("/overview")
def overview(_admin: CurrentAdmin, ports: PortsPart, settings: SettingsPart) -> Overview:
    """Queues, runners, failed steps and disks at a glance, and what an admin should look at now."""
    seen, hosts = ports.runners.runners(), ports.runners.hosts()
    living = [host for host in hosts if not host.is_silent]
    jobs = ports.job_status.list_jobs(state=JobState.RUNNING, limit=MOST_RUNNING).jobs
    running = [job.resource_class for job in jobs]
    queues = [
        QueueView(
            resource_class=item.name,
            waiting=ports.job_status.pending(item.name),
            running=running.count(item.name),
            runners_ready=sum(one.is_ready_for(item.name) for one in seen),
        )
        for item in settings.resource_classes
    ]
    return Overview(
        queues=queues,
        runners=sum(not one.is_silent for one in seen),
        runners_ready=sum(one.is_ready_for() for one in seen),
        sandboxes=sum(len(host.report.sandboxes) for host in living),
        dead_letters=ports.dead_letters.page(limit=1).total,
        disks=[disk for host in living for disk in host.report.disks],
        mended=dict(ports.runners.mended()),
        clock_skew_seconds=round(ports.job_status.clock_skew(), 3),
        notices=notices(ports, seen, hosts),
    )


@router.get("/runners")
def runners(_admin: CurrentAdmin, ports: PortsPart) -> RunnerList:
    """Every runner, including those that ended in the last five minutes, and every engine with its sandboxes."""
    return RunnerList(
        runners=[RunnerView.of(seen) for seen in ports.runners.runners()],
        hosts=[HostView.of(seen) for seen in ports.runners.hosts()],
    )


@router.get("/runners/{runner}")
def one_runner(runner: RunnerName, _admin: CurrentAdmin, ports: PortsPart) -> RunnerDetail:
    """One runner with its host, or all runners of a host."""
    return _detail(ports, named(ports.runners, runner))


@router.post("/runners/{runner}/pause", status_code=HTTPStatus.ACCEPTED)
def pause(runner: RunnerName, _admin: CurrentAdmin, ports: PortsPart) -> RunnerDetail:
    """The runner takes no new jobs until it is resumed; running ones go on. For a host it outlasts restarts."""
    return _steered(ports, runner, Wish.PAUSE)


@router.post("/runners/{runner}/drain", status_code=HTTPStatus.ACCEPTED)
def drain(runner: RunnerName, _admin: CurrentAdmin, ports: PortsPart) -> RunnerDetail:
    """The same as a pause; once the runner's last job has ended, its state is `drained`."""
    return _steered(ports, runner, Wish.DRAIN)


@router.post("/runners/{runner}/resume", status_code=HTTPStatus.ACCEPTED)
def resume(runner: RunnerName, _admin: CurrentAdmin, ports: PortsPart) -> RunnerDetail:
    """The runner takes jobs again."""
    return _steered(ports, runner, Wish.RUN)


@router.post("/runners/{runner}/canary", status_code=HTTPStatus.ACCEPTED)
def canary(runner: RunnerName, _admin: CurrentAdmin, ports: PortsPart) -> RunnerDetail:
    """Have the runner's host probe the sandbox's walls now; the result then appears in the host's report."""
    return _detail(ports, ProbeRunner(runners=ports.runners)(runner))


@router.get("/dead-letters")
def dead_letters(
    _admin: CurrentAdmin,
    ports: PortsPart,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
) -> DeadLetterList:
    """Steps of the platform that failed, the latest first. A repeated failure is one letter with a count."""
    page = ports.dead_letters.page(limit=limit, offset=offset)
    return DeadLetterList(items=[DeadLetterView.of(letter) for letter in page.letters], total=page.total)


@router.post("/dead-letters/{letter_id}/retry", status_code=HTTPStatus.ACCEPTED)
def retry(letter_id: LetterId, admin: CurrentAdmin, ports: PortsPart, settings: SettingsPart) -> JobView:
    """Run the letter's job again, as a new job of its user that does not count. The failed job stays as it is."""
    usecase = RetryDeadLetter(
        dead_letters=ports.dead_letters,
        rate_limit=ports.rate_limit,
        rerun=RerunJob(enqueue=enqueuing(ports, settings, limits=UNLIMITED)),
    )
    admission = usecase(admin, letter_id)
    RingForJob(job_queue=ports.job_queue)(admission.job)
    return JobView.of(JobStanding(job=admission.job, queue_position=admission.queue_position))


@router.delete("/dead-letters/{letter_id}", status_code=HTTPStatus.NO_CONTENT)
def drop(letter_id: LetterId, _admin: CurrentAdmin, ports: PortsPart) -> None:
    """Remove a letter that has been dealt with. If the step fails again, there is a new one."""
    ports.dead_letters.drop(ports.dead_letters.get(letter_id).letter_id)


def _steered(ports: Ports, name: str, wish: Wish) -> RunnerDetail:
    return _detail(ports, SteerRunner(runners=ports.runners, job_queue=ports.job_queue)(name, wish))


def _detail(ports: Ports, found: list[SeenRunner]) -> RunnerDetail:
    hosts = {seen.report.host for seen in found}
    host = next((HostView.of(seen) for seen in ports.runners.hosts() if seen.report.host in hosts), None)
    return RunnerDetail(runners=[RunnerView.of(seen) for seen in found], host=host)
