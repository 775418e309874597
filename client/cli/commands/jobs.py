"""`status`, `jobs`, `logs`, `results`, `provenance` and `cancel`."""

from typing import Annotated

import typer

from client.api.models import Answer
from client.cli.endings import signed_in
from client.cli.log_lines import LogLines
from client.cli.origin_lines import provenance_lines
from client.cli.report import job_lines, jobs_lines, results_lines
from client.cli.rerun_lines import rerun_lines
from client.cli.terminal import log_line, one_line, say
from client.cli.watch import watch_job

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the API's answer as JSON.")]


def status(job_id: JobId, as_json: AsJson = False) -> None:
    """Show where a job stands; of an ended rerun also whether it has the result of the job that it repeats."""
    with signed_in() as client:
        job = client.job(job_id)
        repeats = client.results(job_id).rerun if job.rerun_of and job.status.is_final and not as_json else None
    show(job, [*job_lines(job), *rerun_lines(repeats)], as_json=as_json)


def jobs(
    state: Annotated[str | None, typer.Option("--status", help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List my jobs, newest first (administrators: everybody's)."""
    with signed_in() as client:
        page = client.jobs(status=state, limit=limit)
        several_users = len({job.user_id for job in page.items}) > 1
    empty = ["No job yet. Submit one: leadersboard submit PATH --follow"]
    show(page, jobs_lines(page.items, with_user=several_users) if page.items else empty, as_json=as_json)


def logs(
    job_id: JobId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job ends.")] = False,
    tail: Annotated[int, typer.Option(min=1, max=1000, help="How many of the last lines.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Print a job's log, made safe for the terminal; lines of the platform have `>` in the margin.

    With --json the field `platform` gives the ranges of these lines in the text.
    """
    with signed_in() as client:
        part = client.log_tail(job_id, lines=tail)
        lines = LogLines()
        found = [*lines.feed(part.logs, part.platform), *lines.finish()]
        show(part, [log_line(line.text, platform=line.platform) for line in found], as_json=as_json)
        if follow:
            watch_job(client, job_id, offset=part.next_offset)


def results(job_id: JobId, as_json: AsJson = False) -> None:
    """Show a finished job's metrics, files and MLflow link."""
    with signed_in() as client:
        found = client.results(job_id)
    show(found, results_lines(found), as_json=as_json)


def provenance(job_id: JobId, as_json: AsJson = False) -> None:
    """Show where a finished job's result comes from: code, config, image, data, versions, limits."""
    with signed_in() as client:
        found = client.provenance(job_id)
    show(found, provenance_lines(found), as_json=as_json)


def cancel(job_id: JobId) -> None:
    """Stop a job: a pending one never starts, a running one ends within seconds."""
    with signed_in() as client:
        job = client.cancel_job(job_id)
    say(f"Job {one_line(job.job_id)}: {'cancelled' if job.status.is_final else 'cancelling'}.")


def show(answer: Answer, lines: list[str], *, as_json: bool) -> None:
    """Print an answer, as JSON for programs or as lines for people."""
    for line in [answer.model_dump_json(indent=2)] if as_json else lines:
        say(line)
