"""`submissions`, `rerun` and `download`."""

from pathlib import Path
from typing import Annotated

import typer

from client.api.download import save_artifacts
from client.cli.commands.jobs import AsJson, JobId, show
from client.cli.endings import signed_in
from client.cli.report import cut_line, submissions_lines
from client.cli.terminal import name_line, one_line, say
from client.cli.watch import watch_job


def submissions(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List my submissions, newest first (administrators: everybody's)."""
    with signed_in() as client:
        page = client.submissions(limit=limit)
    show(page, submissions_lines(page.items), as_json=as_json)


def rerun(
    job_id: JobId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show states and log until the end.")] = False,
    as_job: Annotated[bool, typer.Option("--as-job", help="Submit what was tried: a job that counts.")] = False,
) -> None:
    """Queue the same submission and config once more; prints the new job's id. Of a trial another trial."""
    with signed_in() as client:
        job = client.rerun_job(job_id, as_job=as_job)
        say(one_line(job.job_id))
        if follow:
            watch_job(client, job.job_id)


def download(
    job_id: JobId,
    artifact: Annotated[str | None, typer.Option(metavar="PATH", help="Only this file of the job.")] = None,
    into: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to; default: a folder named JOB.")] = None,
) -> None:
    """Save the files of a finished job and print the path of each."""
    with signed_in() as client:
        listed = None if artifact else client.artifacts(job_id)
        paths = [artifact or ""] if listed is None else [file.path for file in listed.items]
        for saved in save_artifacts(client, job_id, paths, into or Path(job_id)):
            say(name_line(saved.target))
            if saved.is_renamed:
                say(f"  named so on this disk; the run called it {name_line(saved.path)}", error=True)
        if listed is not None and (cut := cut_line(len(listed.items), listed.total)):
            say(f"{cut} Fetch others with --artifact PATH.", error=True)
