"""`entry`: what a board says about one's own entry, and what administrators decide about it."""

from typing import Annotated

import typer

from client.api.boards import Entry
from client.api.client import LeadersboardClient
from client.cli.board_report import entry_lines
from client.cli.commands.jobs import AsJson, JobId, show
from client.cli.endings import signed_in
from client.cli.overrides import BadOption

TOGETHER = "--disqualify and --restore contradict each other. Give one of them."


def entry(
    job_id: JobId,
    *,
    title: Annotated[str | None, typer.Option(help="A title for the board; '' removes it.")] = None,
    note: Annotated[str | None, typer.Option(help="A note for the board; '' removes it.")] = None,
    hidden: Annotated[bool | None, typer.Option("--hide/--show", help="Leave it out, or show it again.")] = None,
    disqualify: Annotated[str | None, typer.Option(metavar="REASON", help="Administrators: out of the ranks.")] = None,
    restore: Annotated[str | None, typer.Option(metavar="REASON", help="Administrators: into the ranks.")] = None,
    baseline: Annotated[
        bool | None, typer.Option("--baseline/--no-baseline", help="Administrators: shown in its place, in no rank.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a job's entry on its board, or change what the board says about it. Nothing is deleted."""
    with signed_in() as client:
        if disqualify is not None and restore is not None:
            raise BadOption(TOGETHER)
        if any(given is not None for given in (title, note, hidden)):
            client.entries.change(job_id, title=title, note=note, hidden=hidden)
        if baseline is not None:
            client.entries.baseline(job_id, pinned=baseline)
        found = _judged(client, job_id, disqualify, restore)
    show(found, entry_lines(found), as_json=as_json)


def _judged(client: LeadersboardClient, job_id: str, disqualify: str | None, restore: str | None) -> Entry:
    if disqualify is not None:
        return client.entries.disqualify(job_id, disqualify)
    if restore is not None:
        return client.entries.restore(job_id, restore)
    return client.entries.get(job_id)
