"""The `leadersboard` command, built from its subcommands."""

import typer

from client.cli.commands.account import login, logout
from client.cli.commands.benchmarks import benchmarks
from client.cli.commands.board import board
from client.cli.commands.check import HELP as CHECK_HELP
from client.cli.commands.check import check
from client.cli.commands.entry import entry
from client.cli.commands.jobs import cancel, jobs, logs, provenance, results, status
from client.cli.commands.submissions import download, rerun, submissions
from client.cli.commands.submit import HELP, submit
from client.cli.commands.weights import weights
from client.cli.endings import EXIT_CODES

EPILOG = f"""The address comes from API_URL and the token from LEADERSBOARD_TOKEN where they are set, else from `login`.

{EXIT_CODES}"""


def build() -> typer.Typer:
    """The complete command."""
    command = typer.Typer(
        name="leadersboard",
        help="Submit machine-learning experiments to a LeadersBoard, watch them, and read the ranking.",
        epilog=EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    command.command(help=HELP)(submit)
    command.command(help=CHECK_HELP)(check)
    for step in (
        status, jobs, logs, results, provenance, download, board, entry, benchmarks, weights, cancel, rerun,
        submissions, login, logout,
    ):  # fmt: skip
        command.command()(step)
    return command


def main() -> None:
    """Entry of the installed command."""
    build()(prog_name="leadersboard")
