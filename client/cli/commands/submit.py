"""`submit`: uploads a folder, queues a job and, if requested, shows its results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from client.api.archive import environments_in, uploads_of
from client.api.client import LeadersboardClient
from client.api.job_config import job_config
from client.api.models import Job, Submission
from client.cli.endings import EXIT_CODES, signed_in
from client.cli.overrides import parse_metadata, parse_overrides
from client.cli.terminal import one_line, say
from client.cli.watch import watch_job

HELP = f"""Submit PATH (a folder, a .py file or an archive) and queue a job for it.

A folder is packed without hidden files, caches and virtual environments. Prints the job's id alone on standard output,
so that a script can keep it; with --follow everything that happens, with --wait the states and the results.

{EXIT_CODES}"""


SubmittedPath = Annotated[Path, typer.Argument(help="A folder, or one .py, .zip, .tar.gz or .tgz file.", exists=True)]
Benchmark = Annotated[str | None, typer.Option(help="Which benchmark to run on; default: the platform's.")]
ResourceClass = Annotated[str, typer.Option(help="How much machine the job gets.")]
Entrypoint = Annotated[str, typer.Option(help="The program to start.")]
ConfigFile = Annotated[str, typer.Option(help="The file the program gets as --config.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A config override; may be repeated.")
]


def submit(
    path: SubmittedPath,
    *,
    benchmark: Benchmark = None,
    resource_class: ResourceClass = "small",
    entrypoint: Entrypoint = "main.py",
    config_file: ConfigFile = "config.yaml",
    overrides: Overrides = None,
    metadata: Annotated[str, typer.Option(metavar="JSON", help="Anything to keep with the submission.")] = "{}",
    again: Annotated[str | None, typer.Option(metavar="KEY", help="Run the same once more, under this key.")] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Show states and log until the end.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end without the log.")] = False,
) -> None:
    """Submit a folder or file and queue a job for it."""
    with signed_in() as client:
        config = job_config(parse_overrides(overrides or []), benchmark=benchmark, resource_class=resource_class)
        about = parse_metadata(metadata)
        submission = uploaded(client, path, entrypoint=entrypoint, config_file=config_file, about=about)
        job = client.create_job(submission.duplicate_of or submission.submission_id, config, idempotency_key=again)
        _say_known(job, submission)
        _go_on(client, job, follow=follow, wait=wait)


def uploaded(
    client: LeadersboardClient, path: Path, *, entrypoint: str, config_file: str, about: Mapping[str, Any]
) -> Submission:
    """Pack and upload a path; says what is left out and every note on the files."""
    _say_left_out(path)
    with uploads_of(path) as upload:
        submission = client.create_submission([upload], entrypoint=entrypoint, config_file=config_file, metadata=about)
    for note in submission.notes:
        say(one_line(note), error=True)
    return submission


def _say_left_out(path: Path) -> None:
    for name in environments_in(path) if path.is_dir() else ():
        words = f"{name}/ is a virtual environment and is left out; name the packages in requirements.txt instead."
        say(one_line(words), error=True)


def _say_known(job: Job, submission: Submission) -> None:
    """The same files mean the same job, unless --again is used; files that were only tried have none yet."""
    if submission.duplicate_of is not None and job.created_at <= submission.created_at:
        say("These files are the same as before, so this is the same job. For a new one: --again KEY", error=True)


def _go_on(client: LeadersboardClient, job: Job, *, follow: bool, wait: bool) -> None:
    job_id = one_line(job.job_id)
    if follow or wait:
        say(f"Job {job_id} on {one_line(job.benchmark or 'the default benchmark')}")
        watch_job(client, job.job_id, with_log=follow)
    say(job_id)
    say(f"Queued. Watch it: leadersboard logs {job_id} -f", error=True)
