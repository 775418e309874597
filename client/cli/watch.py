"""Follows a job on the terminal, from its first state to its rank."""

import asyncio
import time
from contextlib import aclosing

import typer

from client.api.boards import MOST_ROWS
from client.api.client import LeadersboardClient
from client.api.errors import LeadersboardError
from client.api.models import Job, JobState
from client.cli.board_report import rank_line
from client.cli.endings import ExitCode
from client.cli.job_events import Changed, Event, Follower, Printed
from client.cli.report import change_line, ending_lines, results_lines, trial_lines
from client.cli.terminal import faint, log_line, one_line, say


def watch_job(client: LeadersboardClient, job_id: str, *, offset: int = 0, with_log: bool = True) -> None:
    """Print what happens to a job until it ends, then its results. Raises typer.Exit with the exit code of its end."""
    try:
        job = asyncio.run(_followed(client, job_id, offset=offset, with_log=with_log))
    except KeyboardInterrupt:
        say(f"\nStopped watching. Job {one_line(job_id)} goes on.", error=True)
        say(f"Watch again: leadersboard logs {one_line(job_id)} -f", error=True)
        say(f"Stop it:     leadersboard cancel {one_line(job_id)}", error=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    _print_end(client, job)
    raise typer.Exit(exit_code_of(job))


def exit_code_of(job: Job) -> ExitCode:
    """The exit code for a job's end; of a trial that would not be ranked that of a failure."""
    done = job.status is JobState.COMPLETED and (not job.trial or job.would_be_ranked is not False)
    return ExitCode.DONE if done else ExitCode.JOB_FAILED


async def _followed(client: LeadersboardClient, job_id: str, *, offset: int, with_log: bool) -> Job:
    """Print events of a job as they happen. Returns the job once it has ended."""
    began = time.monotonic()
    job: Job | None = None
    async with client.open_async() as asynchronous:
        follower = Follower(asynchronous, job_id, offset=offset, with_log=with_log)
        async with aclosing(follower.events()) as events:
            async for event in events:
                say(_line(event, time.monotonic() - began), error=False)
                job = event.job if isinstance(event, Changed) else job
    if job is None:
        raise LeadersboardError("The job's state was never read.")
    return job


def _line(event: Event, elapsed: float) -> str:
    if isinstance(event, Printed):
        return log_line(event.line.text, platform=event.line.platform)
    stamp = faint(f"[{elapsed:7.1f} s]")
    if isinstance(event, Changed):
        return f"{stamp} {change_line(event.job)}"
    return f"{stamp} waiting for the platform: {one_line(event.why)}"


def _print_end(client: LeadersboardClient, job: Job) -> None:
    results = client.results(job.job_id) if job.status is JobState.COMPLETED else None
    for line in ["", *results_lines(results)] if results else ending_lines(job):
        say(line)
    if job.trial:
        for line in ["", *trial_lines(job, results, _primary_metric(client, job))]:
            say(line)
    if results is None or job.trial:
        return
    if job.ranked is False:  # the results say why
        return
    board = client.leaderboard(benchmark=job.benchmark, entries="all", limit=MOST_ROWS)
    say(rank_line(board, job.job_id))


def _primary_metric(client: LeadersboardClient, job: Job) -> str | None:
    found = (one.primary_metric for one in client.benchmarks().items if one.name == job.benchmark)
    return next(found, None) if job.status is JobState.COMPLETED else None
