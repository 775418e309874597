"""`check`: uploads a folder and tries it on a few pictures; nothing is recorded."""

from typing import Annotated, NoReturn

import typer

from client.api.client import LeadersboardClient
from client.api.errors import Refused
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
from client.cli.endings import EXIT_CODES, ExitCode, failure_lines, signed_in
from client.cli.overrides import parse_overrides
from client.cli.terminal import one_line, say
from client.cli.watch import watch_job

HELP = f"""Check PATH (a folder, a .py file or an archive) before you submit it.

Its files are checked as `submit` checks them, and every fault is told at once. Then it runs for about a minute, on a
few pictures of the benchmark, in the same image and behind the same walls. The end says whether it would be ranked, or
what to mend. Nothing is recorded; trials have a limit of their own and take no place of the hour's jobs.

{EXIT_CODES} Here 1 also means that the files have
faults, or that the run would not be ranked."""


def _mend(lines: list[str]) -> NoReturn:
    """Say what is wrong with what was submitted. Raises typer.Exit with the code of a failed job."""
    for line in lines:
        say(line, error=True)
    raise typer.Exit(ExitCode.JOB_FAILED)


def _choice_faults(client: LeadersboardClient, benchmark: str | None, resource_class: str) -> list[str]:
    """The choices that the platform does not offer, so that they are told together with the faults of the files."""
    known = {"benchmark": [one.name for one in client.benchmarks().items]}
    known["resource class"] = [one.name for one in client.resource_classes().items]
    asked = {"benchmark": benchmark, "resource class": resource_class}
    return [
        f"  {name}: {one_line(asked[name])} is not offered; choose one of {one_line(', '.join(offered))}"
        for name, offered in known.items()
        if asked[name] is not None and asked[name] not in offered
    ]


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
        faults = _choice_faults(client, benchmark, resource_class)
        try:
            submission = uploaded(client, path, entrypoint=entrypoint, config_file=config_file, about={})
        except Refused as error:
            if error.problem.faults:
                head, *rest = failure_lines(error)
                _mend([head, *faults, *rest])
            raise
        if faults:
            _mend(faults)
        if upload_only:
            say(f"The files are as they should be: {len(submission.files)} stored. Try them: leave out --upload-only.")
            return
        job = client.create_job(submission.submission_id, config, trial=True)
        say(f"Trial {one_line(job.job_id)} on {one_line(job.benchmark or 'the default benchmark')}")
        watch_job(client, job.job_id)
