"""The leaderboard page: one benchmark, ranked by any of its metrics."""

from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from client.api.boards import Benchmark
from ui.markup import arrow
from ui.pages.admin_notice import admin_notice
from ui.shell import QUIET, Frame, asset, close_page, header_of, is_admin, open_page, with_notice

HERE = "/"
PAGE = 50
WHAT = "The leaderboard could not be read"
Entries = Literal["best", "all"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What to show; empty values mean the platform's default."""

    benchmark: str = ""
    metric: str = ""
    entries: Entries = "best"
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
            [("Best per user", "best"), ("All entries", "all")], value="best", label="Entries", min_width=220
        )
    offset = gr.Number(0, visible=False, precision=0)
    board = gr.HTML('<div class="lb-loading">Loading…</div>', padding=False, js_on_load=asset("board.js"))
    with gr.Row(elem_classes="lb-actions"):
        newer = gr.Button("← Higher ranks", size="sm", visible=False, elem_classes="lb-small")
        older = gr.Button("Lower ranks →", size="sm", visible=False, elem_classes="lb-small")
    close_page(frame)

    shown = [notice, board, benchmark, metric, entries, offset, newer, older]
    chosen = [benchmark, metric, entries, offset]
    show = _Show(frame)
    gr.on(None, show.first, None, [header, for_admins, *shown], **QUIET)
    benchmark.input(show.benchmark, [benchmark, entries], shown, **QUIET)
    metric.input(show.metric, [benchmark, metric, entries], shown, **QUIET)
    entries.input(show.metric, [benchmark, metric, entries], shown, **QUIET)
    board.select(show.clicked, [benchmark, entries], shown, **QUIET)
    newer.click(show.higher, chosen, shown, **QUIET)
    older.click(show.lower, chosen, shown, **QUIET)


class _Show:
    """The page's events; each returns the whole board."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def first(self, request: gr.Request) -> tuple[Any, ...]:
        """Load event: show what the address asks for."""
        asked = request.query_params
        entries: Entries = "all" if asked.get("entries") == "all" else "best"
        choice = Choice(benchmark=asked.get("benchmark", ""), metric=asked.get("metric", ""), entries=entries)
        head = header_of(self._frame, HERE, request), admin_notice(self._frame, request)
        return (*head, *self._answer(choice, request, first=True))

    def benchmark(self, benchmark: str, entries: Entries, request: gr.Request) -> tuple[Any, ...]:
        """Show another benchmark, by its primary metric."""
        return self._answer(Choice(benchmark=benchmark, entries=entries), request)

    def metric(self, benchmark: str, metric: str, entries: Entries, request: gr.Request) -> tuple[Any, ...]:
        """Show another metric, or other entries."""
        return self._answer(Choice(benchmark=benchmark, metric=metric, entries=entries), request)

    def clicked(self, benchmark: str, entries: Entries, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Rank by the column whose head was clicked."""
        metric = str((event._data or {}).get("metric", ""))  # noqa: SLF001, Gradio offers no public access
        return self._answer(Choice(benchmark=benchmark, metric=metric, entries=entries), request)

    def higher(
        self, benchmark: str, metric: str, entries: Entries, offset: int, request: gr.Request
    ) -> tuple[Any, ...]:
        """Show the previous page of ranks."""
        at = max(0, int(offset) - PAGE)
        return self._answer(Choice(benchmark=benchmark, metric=metric, entries=entries, offset=at), request)

    def lower(self, benchmark: str, metric: str, entries: Entries, offset: int, request: gr.Request) -> tuple[Any, ...]:
        """Show the next page of ranks."""
        at = int(offset) + PAGE
        return self._answer(Choice(benchmark=benchmark, metric=metric, entries=entries, offset=at), request)

    def _answer(self, choice: Choice, request: gr.Request, *, first: bool = False) -> tuple[Any, ...]:
        kept = ("" if first else gr.skip(), *(gr.skip() for _ in range(6)))
        return with_notice(self._frame, WHAT, lambda: self._board(choice, request), kept)

    def _board(self, choice: Choice, request: gr.Request) -> tuple[Any, ...]:
        client = self._frame.sessions.client_of(request)
        benchmarks = client.benchmarks().items
        if not benchmarks:
            return (self._no_benchmark(), *(gr.skip() for _ in range(6)))
        benchmark = next((one for one in benchmarks if one.name == choice.benchmark), benchmarks[0])
        known = {metric.name for metric in benchmark.metrics}
        board = client.leaderboard(
            benchmark=benchmark.name,
            metric=choice.metric if choice.metric in known else benchmark.primary_metric,
            entries=choice.entries,
            limit=PAGE,
            offset=choice.offset,
        )
        html = self._frame.markup.fill(
            "board",
            board=board,
            benchmark=benchmark,
            entries=choice.entries,
            offset=choice.offset,
            is_admin=is_admin(self._frame, request),
        )
        return (
            html,
            gr.update(choices=[(one.title, one.name) for one in benchmarks], value=benchmark.name),
            gr.update(choices=_metric_choices(benchmark), value=board.metric),
            choice.entries,
            choice.offset,
            gr.update(visible=choice.offset > 0),
            gr.update(visible=choice.offset + len(board.items) < board.total),
        )

    def _no_benchmark(self) -> str:
        return self._frame.markup.fill(
            "empty",
            title="No benchmark is installed",
            words="An administrator adds one as a folder with a benchmark.yaml.",
            path="/jobs",
            action="See the jobs",
        )


def _metric_choices(benchmark: Benchmark) -> list[tuple[str, str]]:
    return [(f"{metric.name} {arrow(metric)}", metric.name) for metric in benchmark.metrics]
