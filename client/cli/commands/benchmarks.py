"""`benchmarks`: for which benchmarks code can be submitted, and for administrators what is wrong with them."""

from typing import Annotated

import typer

from client.cli.commands.jobs import AsJson, show
from client.cli.endings import ExitCode, signed_in
from client.cli.report import benchmark_lines, check_lines


def benchmarks(
    name: Annotated[str | None, typer.Argument(help="With --check: look at each of its pictures, too.")] = None,
    check: Annotated[bool, typer.Option("--check", help="For administrators: what is wrong with them.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the benchmarks; with --check say what is wrong with their settings and data (exit code 1 if anything is).

    Organisers make one of a folder of pictures with `scripts/benchmark prepare` of the checkout (docs/benchmarks.md).
    """
    with signed_in() as client:
        if not check:
            found = client.benchmarks()
            show(found, benchmark_lines(found.items, name), as_json=as_json)
            return
        checks = client.check_benchmarks(name)
    show(checks, check_lines(checks), as_json=as_json)
    if not all(one.is_good for one in checks.items):
        raise typer.Exit(ExitCode.JOB_FAILED)
