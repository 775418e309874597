"""The end of a command: its exit code, and messages about what failed and what to do next."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from client.api.archive import CannotPack
from client.api.client import LeadersboardClient, connect
from client.api.errors import LeadersboardError, NotSignedIn, Refused, Unreachable
from client.api.local_names import CannotSave
from client.cli.account import NotConfigured, find_account
from client.cli.overrides import BadOption
from client.cli.terminal import one_line, say


class ExitCode(IntEnum):
    """The exit codes of the command, for scripts."""

    DONE = 0
    JOB_FAILED = 1
    USAGE = 2
    PLATFORM = 3
    INTERRUPTED = 130


EXIT_CODES = """Exit codes: 0 done (with --follow or --wait: the job completed), 1 the job failed or was cancelled
(benchmarks --check: something is wrong), 2 wrong usage or not signed in, 3 the platform refused or did not answer,
130 interrupted (a job goes on)."""


@contextmanager
def printed_failures() -> Iterator[None]:
    """Prints failures in this context as messages and turns them into exit codes."""
    try:
        yield
    except (NotConfigured, CannotPack, CannotSave, BadOption) as error:
        say(f"Error: {one_line(error)}", error=True)
        raise typer.Exit(ExitCode.USAGE) from error
    except LeadersboardError as error:
        for line in failure_lines(error):
            say(line, error=True)
        raise typer.Exit(ExitCode.USAGE if isinstance(error, NotSignedIn) else ExitCode.PLATFORM) from error


@contextmanager
def signed_in() -> Iterator[LeadersboardClient]:
    """A client for the current account; failures are printed and become exit codes."""
    with printed_failures():
        account = find_account(os.environ)
        with connect(account.url, account.token) as client:
            yield client


def failure_lines(error: LeadersboardError) -> list[str]:
    """What failed, the fields at fault, what to do next, and the request id to quote."""
    lines = [f"Error: {one_line(error)}"]
    if isinstance(error, Refused):
        lines += [f"  {one_line(fault.field)}: {one_line(fault.rule)}" for fault in error.problem.faults]
    lines.append(f"Next: {_next_step(error)}")
    if isinstance(error, Refused) and error.request_id:
        lines.append(f"Request id: {one_line(error.request_id)}")
    return lines


def _next_step(error: LeadersboardError) -> str:
    if isinstance(error, NotSignedIn) and error.code == "wrong_credentials":
        return "check user name and password, or sign in with an access token."
    if isinstance(error, NotSignedIn):
        return "run `leadersboard login` (with --user NAME for a password), or set LEADERSBOARD_TOKEN."
    if isinstance(error, Unreachable):
        return "check API_URL (or `leadersboard login --url`) and that the platform is running."
    return error.advice[0].lower() + error.advice[1:]
