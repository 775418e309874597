"""`check`: uploads a folder and tries it on a few pictures; nothing is recorded."""

from typing import Annotated

import typer

from client.api.job_config import job_config
from client.cli.commands.submit import (
    Benchmark,
    ConfigFile,
    Entrypoint,
    Overrides,
    ResourceClass,
    SubmittedPath,
    uploaded,
)
from client.cli.endings import EXIT_CODES, signed_in
from client.cli.overrides import parse_overrides
from client.cli.terminal import one_line, say
from client.cli.watch import watch_job

HELP = f"""Check PATH (a folder, a .py file or an archive) before you submit it.

Its files are checked as `submit` checks them, and every fault is told at once. Then it runs for a minute at most, on a
few pictures of the benchmark, in the same image and behind the same walls. The end says whether it would be ranked, or
what to mend. Nothing is recorded; trials have a limit of their own and take no place of the hour's jobs.

{EXIT_CODES} With a trial 1 also means that it would not be ranked."""


def check(
    path: SubmittedPath,
    *,
    benchmark: Benchmark = None,
    resource_class: ResourceClass = "small",
    entrypoint: Entrypoint = "main.py",
    config_file: ConfigFile = "config.yaml",
    overrides: Overrides = None,
    upload_only: Annotated[bool, typer.Option("--upload-only", help="Check the files alone, without a run.")] = False,
) -> None:
    """Check a folder or file on a few pictures, without recording anything."""
    with signed_in() as client:
        config = job_config(parse_overrides(overrides or []), benchmark=benchmark, resource_class=resource_class)
        submission = uploaded(client, path, entrypoint=entrypoint, config_file=config_file, about={})
        if upload_only:
            say(f"The files are as they should be: {len(submission.files)} stored. Try them: leave out --upload-only.")
            return
        job = client.create_job(submission.submission_id, config, trial=True)
        say(f"Trial {one_line(job.job_id)} on {one_line(job.benchmark or 'the default benchmark')}")
        watch_job(client, job.job_id)
