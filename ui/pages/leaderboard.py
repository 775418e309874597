"""The leaderboard page: one benchmark, ranked by any of its metrics."""

from dataclasses import dataclass
from typing import Any, cast, get_args

import gradio as gr

from client.api.boards import Benchmark, Board, Cost, Entries, History, Metric
from client.api.client import LeadersboardClient
from client.api.errors import Invalid, LeadersboardError
from ui.markup import arrow
from ui.pages.admin_notice import admin_notice
from ui.pages.score_chart import (
    CHOICES,
    HISTORY_TITLE,
    TITLE,
    chart_updates,
    history_plot,
    history_updates,
    score_plot,
)
from ui.shell import QUIET, Frame, asset, close_page, header_of, is_admin, open_page, with_notice

HERE = "/"
PAGE = 50
OTHERS = 12
"""How many outputs the page's events have after the board itself."""
WHAT = "The leaderboard could not be read"
MEAN_RANK = "by:mean_rank"
IN = "in:"
"""Before the name of a category, so that no name is taken for something else."""


COST_NAMES = {f"system/{cost}": name for name, cost in CHOICES}
"""Metrics that are costs, with their names on the page."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What to show; empty values mean the platform's default."""

    benchmark: str = ""
    metric: str = ""
    entries: Entries = "best"
    over: str = ""
    """Empty: over all categories; IN and a category's name; or MEAN_RANK."""
    cost: Cost = "wall_seconds"
    offset: int = 0


def page(frame: Frame) -> None:
    """Build the page."""
    header = open_page(frame, HERE)
    gr.HTML('<h1 class="lb-title">Leaderboard</h1>', padding=False)
    for_admins = gr.HTML("", padding=False)
    notice = gr.HTML("", padding=False)
    with gr.Row(elem_classes="lb-controls"):
        benchmark = gr.Dropdown([], label="Benchmark", min_width=180)
        metric = gr.Dropdown([], label="Rank by", min_width=180)
        entries = gr.Radio(
            [("Best", "best"), ("Latest", "latest"), ("All", "all")],
            value="best", label="Entries of each user", min_width=320,
        )  # fmt: skip
        over = gr.Dropdown([], label="Categories", min_width=180, visible=False)
    offset = gr.Number(0, visible=False, precision=0)
    board = gr.HTML('<div class="lb-loading">Loading…</div>', padding=False, js_on_load=asset("board.js"))
    with gr.Column(visible=False, elem_classes="lb-chart") as chart:
        gr.HTML(TITLE, padding=False)
        cost = gr.Radio(CHOICES, value="wall_seconds", label="Cost")
        plot = score_plot()
    with gr.Column(visible=False, elem_classes="lb-history") as past:
        gr.HTML(HISTORY_TITLE, padding=False)
        past_plot = history_plot()
    with gr.Row(elem_classes="lb-actions"):
        newer = gr.Button("← Higher ranks", size="sm", visible=False, elem_classes="lb-small")
        older = gr.Button("Lower ranks →", size="sm", visible=False, elem_classes="lb-small")
    close_page(frame)

    shown = [notice, board, benchmark, metric, entries, over, offset, newer, older, chart, cost, plot, past, past_plot]
    chosen = [benchmark, metric, entries, over, cost]
    show = _Show(frame)
    gr.on(None, show.first, None, [header, for_admins, *shown], **QUIET)
    benchmark.input(show.benchmark, [benchmark, entries, cost], shown, **QUIET)
    for choice in (metric, entries, over, cost):
        choice.input(show.choice, chosen, shown, **QUIET)
    board.select(show.clicked, [benchmark, entries, over, cost], shown, **QUIET)
    newer.click(show.higher, [*chosen, offset], shown, **QUIET)
    older.click(show.lower, [*chosen, offset], shown, **QUIET)


class _Show:
    """The page's events; each returns the whole board."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def first(self, request: gr.Request) -> tuple[Any, ...]:
        """Load event: show what the address asks for."""
        asked = request.query_params
        entries = asked.get("entries", "")
        over = MEAN_RANK if asked.get("by") == "mean_rank" else f"{IN}{asked.get('category', '')}"
        choice = Choice(
            benchmark=asked.get("benchmark", ""),
            metric=asked.get("metric", ""),
            entries=cast("Entries", entries) if entries in get_args(Entries) else "best",
            over="" if over == IN else over,
            cost=cast("Cost", cost) if (cost := asked.get("cost", "")) in get_args(Cost) else "wall_seconds",
        )
        head = header_of(self._frame, HERE, request), admin_notice(self._frame, request)
        return (*head, *self._answer(choice, request, first=True))

    def benchmark(self, benchmark: str, entries: Entries, cost: Cost, request: gr.Request) -> tuple[Any, ...]:
        """Show another benchmark, by its primary metric."""
        return self._answer(Choice(benchmark=benchmark, entries=entries, cost=cost), request)

    def choice(  # noqa: PLR0917 Gradio passes inputs by position
        self, benchmark: str, metric: str, entries: Entries, over: str, cost: Cost, request: gr.Request
    ) -> tuple[Any, ...]:
        """Show another metric, other entries, other categories or another cost."""
        choice = Choice(benchmark=benchmark, metric=metric, entries=entries, over=over or "", cost=cost)
        return self._answer(choice, request)

    def clicked(  # noqa: PLR0917 Gradio passes inputs by position
        self, benchmark: str, entries: Entries, over: str, cost: Cost, event: gr.EventData, request: gr.Request
    ) -> tuple[Any, ...]:
        """Rank by the column whose head was clicked."""
        metric = str((event._data or {}).get("metric", ""))  # noqa: SLF001, Gradio offers no public access
        return self.choice(benchmark, metric, entries, over, cost, request)

    def higher(  # noqa: PLR0917 Gradio passes inputs by position
        self, benchmark: str, metric: str, entries: Entries, over: str, cost: Cost, offset: int, request: gr.Request
    ) -> tuple[Any, ...]:
        """Show the previous page of ranks."""
        at = max(0, int(offset) - PAGE)
        choice = Choice(benchmark=benchmark, metric=metric, entries=entries, over=over or "", cost=cost, offset=at)
        return self._answer(choice, request)

    def lower(  # noqa: PLR0917 Gradio passes inputs by position
        self, benchmark: str, metric: str, entries: Entries, over: str, cost: Cost, offset: int, request: gr.Request
    ) -> tuple[Any, ...]:
        """Show the next page of ranks."""
        at = int(offset) + PAGE
        choice = Choice(benchmark=benchmark, metric=metric, entries=entries, over=over or "", cost=cost, offset=at)
        return self._answer(choice, request)

    def _answer(self, choice: Choice, request: gr.Request, *, first: bool = False) -> tuple[Any, ...]:
        kept = ("" if first else gr.skip(), *(gr.skip() for _ in range(OTHERS)))
        return with_notice(self._frame, WHAT, lambda: self._board(choice, request), kept)

    def _board(self, choice: Choice, request: gr.Request) -> tuple[Any, ...]:
        client = self._frame.sessions.client_of(request)
        benchmarks = client.benchmarks().items
        if not benchmarks:
            return (self._no_benchmark(), *(gr.skip() for _ in range(OTHERS)))
        benchmark = next((one for one in benchmarks if one.name == choice.benchmark), benchmarks[0])
        try:
            board = _asked(client, benchmark, choice)
        except Invalid:  # an old link: no run reports this metric any more, or none has this category
            choice = Choice(benchmark=benchmark.name, entries=choice.entries, cost=choice.cost)
            board = _asked(client, benchmark, choice)
        columns = columns_of(board, benchmark)
        html = self._frame.markup.fill(
            "board",
            board=board,
            benchmark=benchmark,
            columns=columns,
            costs=shown_costs(board),
            offset=choice.offset,
            is_admin=is_admin(self._frame, request),
        )
        return (
            html,
            gr.update(choices=[(one.title, one.name) for one in benchmarks], value=benchmark.name),
            gr.update(choices=_metric_choices(columns), value=board.metric),
            choice.entries,
            gr.update(choices=_over_choices(board), value=_over_of(board), visible=bool(board.categories)),
            choice.offset,
            gr.update(visible=choice.offset > 0),
            gr.update(visible=choice.offset + len(board.items) < board.total),
            *chart_updates(board),
            *history_updates(_history_of(client, board)),
        )

    def _no_benchmark(self) -> str:
        return self._frame.markup.fill(
            "empty",
            title="No benchmark is installed",
            words="An administrator adds one as a folder with a benchmark.yaml.",
            path="/jobs",
            action="See the jobs",
        )


def _asked(client: LeadersboardClient, benchmark: Benchmark, choice: Choice) -> Board:
    return client.leaderboard(
        benchmark=benchmark.name,
        metric=choice.metric or benchmark.primary_metric,
        entries=choice.entries,
        category=choice.over.removeprefix(IN) if choice.over.startswith(IN) else None,
        by="mean_rank" if choice.over == MEAN_RANK else "value",
        cost=choice.cost,
        limit=PAGE,
        offset=choice.offset,
    )


def _history_of(client: LeadersboardClient, board: Board) -> History | None:
    """How the best score grew; None where it cannot be read, which leaves the board as it is."""
    try:
        return client.leaderboard_history(benchmark=board.benchmark, metric=board.metric, category=board.category)
    except LeadersboardError:
        return None


def columns_of(board: Board, benchmark: Benchmark) -> list[Metric]:
    """The metrics that have a column: those of the benchmark, and the one that ranks unless it is a cost."""
    known = list(benchmark.metrics)
    if board.metric not in {metric.name for metric in known} and board.metric not in COST_NAMES:
        known.append(Metric(name=board.metric, direction=board.direction))
    return known


def shown_costs(board: Board) -> list[tuple[str, str, str]]:
    """Name, title and metric of the costs that have a column: time, memory, and any other that a row shown has."""
    usual = {"wall_seconds", "memory_bytes"}
    found = usual | {cost for row in board.items for cost in row.costs}
    return [(cost, name, f"system/{cost}") for name, cost in CHOICES if cost in found]


def _metric_choices(columns: list[Metric]) -> list[tuple[str, str]]:
    named = [(f"{one.name} {arrow(one)}", one.name) for one in columns]
    return [*named, *((f"{name} ↓", metric) for metric, name in COST_NAMES.items())]


def _over_of(board: Board) -> str:
    """The choice of categories that the board shows."""
    return MEAN_RANK if board.by == "mean_rank" else f"{IN}{board.category}" if board.category else ""


def _over_choices(board: Board) -> list[tuple[str, str]]:
    each = [(category, f"{IN}{category}") for category in board.categories]
    return [("All categories", ""), *each, ("Mean rank over all", MEAN_RANK)]
