"""`board`: the ranking."""

from typing import Annotated, Any

import typer

from client.cli.board_report import board_lines, history_lines
from client.cli.commands.jobs import AsJson, show
from client.cli.endings import signed_in
from client.cli.terminal import print_file


def board(
    *,
    benchmark: Annotated[str | None, typer.Option(help="Which benchmark; default: the platform's.")] = None,
    metric: Annotated[str | None, typer.Option(help="Rank by this metric instead of the benchmark's own.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every entry, not only each user's best.")] = False,
    latest: Annotated[bool, typer.Option("--latest", help="Each user's latest entry, not the best.")] = False,
    category: Annotated[str | None, typer.Option(help="Rank by the values in this category.")] = None,
    mean_rank: Annotated[bool, typer.Option("--mean-rank", help="Rank by the mean of ranks over categories.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many rows.")] = 50,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all rows as CSV, for a file or a spreadsheet.")] = False,
    history: Annotated[bool, typer.Option("--history", help="How the best score grew, instead of the rows.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the leaderboard; your rows are starred."""
    asked: dict[str, Any] = {
        "benchmark": benchmark,
        "metric": metric,
        "entries": "all" if every else "latest" if latest else "best",
        "category": category,
        "by": "mean_rank" if mean_rank else "value",
    }
    with signed_in() as client:
        if history:
            grown = client.leaderboard_history(benchmark=benchmark, metric=metric, category=category)
            show(grown, history_lines(grown), as_json=as_json)
            return
        if as_csv:
            with client.leaderboard_file(**asked) as pieces:
                print_file(pieces)
            return
        found = client.leaderboard(**asked, limit=limit)
    show(found, board_lines(found), as_json=as_json)
