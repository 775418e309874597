"""Boards and their entries as lines of text."""

from datetime import UTC

from client.api.boards import Board, Entry, History, Standing, Step
from client.cli.terminal import faint, one_line, strong, table
from client.wording import ago, duration, memory, number

MOST_REASONS = 20
"""How many reasons of unranked rows are printed; --json has all."""


def board_lines(board: Board) -> list[str]:
    """A board as a table; own rows are starred."""
    arrow = "higher is better" if board.direction == "maximize" else "lower is better"
    value = board.metric if board.by == "value" else "mean rank"
    where = f" in {one_line(board.category)}" if board.category else ""
    by = f"the mean of ranks by {one_line(board.metric)}" if board.by == "mean_rank" else strong(one_line(board.metric))
    head = f"{strong(one_line(board.benchmark))} by {by}{where} ({arrow}, {board.scoring} scores)"
    if not board.items:
        return [head, "No entry yet. Submit one: leadersboard submit PATH --follow"]
    rows = [_standing_row(row) for row in board.items]
    why = [
        f"Not ranked: {one_line(f'{row.user_id}, {row.job_id}')}: {one_line(row.unranked_because)}."
        for row in board.items
        if row.unranked_because
    ]
    shown = table(
        ["RANK", "USER", "METHOD", value.upper(), "TIME", "MEMORY", "WHEN", "JOB"], rows, right=frozenset({0, 3, 4, 5})
    )
    return [
        head,
        *shown,
        *why[:MOST_REASONS],
        faint(f"{len(board.items)} of {board.total}; * yours; + no other is better at no more time"),
    ]


def history_lines(history: History) -> list[str]:
    """The jobs that were the best when they ended, oldest first."""
    head = f"The best {strong(one_line(history.metric))} on {strong(one_line(history.benchmark))}, oldest first"
    rows = [_step_row(step) for step in history.items]
    return [head, *table(["SINCE (UTC)", "VALUE", "USER", "METHOD", "JOB"], rows, right=frozenset({1}))]


def _step_row(step: Step) -> list[str]:
    since = step.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    return [since, number(step.value), step.user_id, step.title or step.method or "-", step.job_id]


def entry_lines(entry: Entry) -> list[str]:
    """What a board says about an entry."""
    facts = {"job": entry.job_id, "benchmark": entry.benchmark, "title": entry.title, "note": entry.note}
    lines = [f"{faint(name.ljust(11))}{one_line(value)}" for name, value in facts.items() if value]
    if entry.disqualified_because:
        return [*lines, f"{strong('Disqualified')}: {one_line(entry.disqualified_because)}"]
    if entry.baseline:
        lines.append("Baseline: shown in the place of its value, and counted in no rank.")
    hidden = "Hidden: the board leaves it out. Show it again: leadersboard entry JOB --show"
    return [*lines, hidden.replace("JOB", one_line(entry.job_id)) if entry.hidden else "On the board."]


def rank_line(board: Board, job_id: str) -> str:
    """A job's position on its board."""
    row = board.row_of(job_id)
    if row is None:
        return f"Below the first {len(board.items)} of {board.total} on {one_line(board.benchmark)}."
    if row.rank is not None:
        return f"Rank {row.rank} of {board.total} on {one_line(board.benchmark)} by {one_line(board.metric)}."
    if row.baseline and not row.unranked_because:
        return f"A baseline on {one_line(board.benchmark)}: shown in its place, without a rank."
    why = row.unranked_because or f"{board.metric} is missing or out of bounds"
    return f"Not ranked on {one_line(board.benchmark)}: {one_line(why)}."


def _standing_row(row: Standing) -> list[str]:
    rank = "" if row.rank is None else str(row.rank)
    user = f"{row.user_id} *" if row.mine else row.user_id
    mark = f" [{row.tracking.state} in MLflow]" if row.tracking.is_noteworthy else ""
    title = f", {row.title}" if row.title else ""
    mark = f" [baseline]{mark}" if row.baseline else mark
    method = f"{row.method or '-'}{title}{mark}"
    time, peak = row.costs.get("wall_seconds"), row.costs.get("memory_bytes")
    took = "-" if time is None else f"{duration(time)}{' +' if row.on_front else ''}"
    return [
        rank,
        user,
        method,
        number(row.value),
        took,
        "-" if peak is None else memory(peak),
        ago(row.finished_at),
        row.job_id,
    ]
