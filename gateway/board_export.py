"""Writes a board as CSV or JSON, piece by piece: what is in memory does not grow with the board."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

from core.domain.board_rows import By
from core.domain.costs import Cost, costs_of
from core.domain.spreadsheet import cell
from core.domain.standings import Standing
from core.domain.tracking_state import Tracking
from core.domain.user import User
from core.usecases.show_leaderboard import Board
from gateway.schemas.results import BoardView, StandingView, shown_metrics

ROWS_AT_ONCE = 200
BYTE_ORDER_MARK = "\ufeff"
"""Without it, spreadsheets take UTF-8 for the machine's old encoding."""

States = Callable[[str], Tracking]


class ExportFormat(StrEnum):
    """How a board is written."""

    CSV = "csv"
    JSON = "json"


MEDIA_TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSON: "application/json"}


def written(kind: ExportFormat, board: Board, user: User, mlflow_url: str, states: States) -> Iterator[bytes]:
    """The whole board in this format, in pieces of ROWS_AT_ONCE rows."""
    if kind is ExportFormat.CSV:
        return _as_csv(board, states)
    return _as_json(board, user, mlflow_url, states)


def _as_json(board: Board, user: User, mlflow_url: str, states: States) -> Iterator[bytes]:
    """One object as `GET /leaderboard` answers it, with all rows."""
    head = BoardView.of(board, user, mlflow_url, standings=()).model_dump_json(exclude={"items"})
    yield f'{head[:-1]},"items":['.encode()
    between = ""
    for rows in _parts(board.standings):
        views = (StandingView.of(board, row, user, mlflow_url, states(row.entry.job_id)) for row in rows)
        yield (between + ",".join(view.model_dump_json() for view in views)).encode()
        between = ","
    yield b"]}"


def _parts(rows: Sequence[Standing]) -> Iterator[Sequence[Standing]]:
    return (rows[at : at + ROWS_AT_ONCE] for at in range(0, len(rows), ROWS_AT_ONCE))


def _as_csv(board: Board, states: States) -> Iterator[bytes]:
    metrics = shown_metrics(board)
    yield BYTE_ORDER_MARK.encode() + _lines([[*BEFORE, *map(cell, metrics), *AFTER]])
    for rows in _parts(board.standings):
        yield _lines([_row(board, row, states(row.entry.job_id)) for row in rows])


BEFORE = ("rank", "mean_rank", "user", "method", "title", "note", "badge", "scores")
COSTS = tuple(map(str, Cost))
AFTER = (*COSTS, "on_front", "unranked_because", "finished_at", "job_id", "submission_id", "run_id", "in_mlflow")


def _row(board: Board, standing: Standing, tracking: Tracking) -> list[str | float | None]:
    entry, marks = standing.entry, board.marks_of(standing)
    figures = entry.figures(board.ranking.category)
    values = (figures.get(name) for name in shown_metrics(board))
    numbers = (value if value is not None and math.isfinite(value) else None for value in values)
    badge = "disqualified" if marks.is_disqualified else "baseline" if marks.is_baseline else ""
    words = (
        entry.user_id,
        entry.method or "",
        marks.title,
        marks.note,
        badge,
        "verified" if entry.is_verified else "claimed",
    )
    ids = (entry.finished_at.isoformat(), entry.job_id, entry.submission_id, entry.run_id, tracking.state)
    costs = costs_of(entry)
    paid = (*(costs.get(name) for name in COSTS), "yes" if entry.job_id in board.front else "")
    texts = (board.ranking.why_unranked(standing) or "", *ids)
    mean_rank = standing.value if board.ranking.by is By.MEAN_RANK else None
    return [standing.rank, mean_rank, *map(cell, words), *numbers, *paid, *map(cell, texts)]


def _lines(rows: Sequence[Sequence[str | float | None]]) -> bytes:
    """Rows as RFC 4180 writes them."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
