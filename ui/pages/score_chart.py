"""The charts below the board: score against cost with its front, and how the best score grew."""

from datetime import UTC, datetime
from typing import Any

import gradio as gr

from client.api.boards import Board, Cost, History, Standing
from client.visible_text import visible

TITLE = (
    '<h2>Score against cost</h2><p class="lb-faint">Of the rows above, as the platform measured the cost. '
    "On the front: no other row is better and no dearer.</p>"
)
CHOICES: list[tuple[str, Cost]] = [
    ("Time", "wall_seconds"),
    ("Peak memory", "memory_bytes"),
    ("Peak GPU memory", "gpu_memory_bytes"),
    ("Device time", "device_seconds"),
]
UNITS = {"wall_seconds": (60.0, "minutes"), "device_seconds": (60.0, "minutes")}
"""By what a cost is divided for its axis, and the unit then; all others are bytes, shown in GB."""
GIGABYTE = (1e9, "GB")
FRONT, OTHER = "on the front", "other"
HISTORY_TITLE = (
    '<h2>The best score over time</h2><p class="lb-faint">Each step is a job that was better than all before it.</p>'
)
FEWEST = 2
ROOM = 0.08
"""Of the axis, left free above and below the points."""
COLOURS = {FRONT: "#2f9e62", OTHER: "#8a94a6"}
"""Readable on the light and the dark card; the words of the legend say the same."""


def score_plot() -> gr.ScatterPlot:
    """The empty chart."""
    return gr.ScatterPlot(
        None, x="cost", y="score", color="row", color_map=COLOURS, tooltip=["user", "method"], height=300,
        x_title="", y_title="", color_title="", container=True, buttons=[],
    )  # fmt: skip


def chart_updates(board: Board) -> tuple[Any, ...]:
    """Updates of the chart's section, of the choice of a cost, and of the chart.

    Hidden where fewer than two rows have a value and any cost.
    """
    shown = [row for row in board.items if row.value is not None and row.costs]
    if len(shown) < FEWEST:
        return gr.update(visible=False), gr.skip(), gr.skip()
    divisor, unit = UNITS.get(board.cost, GIGABYTE)
    points = [_point(row, row.costs[board.cost] / divisor) for row in shown if board.cost in row.costs]
    plot = {
        "columns": ["cost", "score", "row", "user", "method"],
        "data": points,
        "datatypes": {"cost": "quantitative", "score": "quantitative"}
        | dict.fromkeys(("row", "user", "method"), "nominal"),
        "mark": "point",
    }
    name = next((name for name, cost in CHOICES if cost == board.cost), board.cost)
    score = f"mean rank by {board.metric}" if board.by == "mean_rank" else board.metric
    chart = gr.update(
        value=plot,
        x_title=f"{name} ({unit})",
        y_title=visible(score),
        x_lim=[0, 1.05 * max((point[0] for point in points), default=1.0)],
        y_lim=_with_room([point[1] for point in points]),
    )
    known = {board.cost, *(cost for row in shown for cost in row.costs)}
    return gr.update(visible=True), gr.update(choices=[one for one in CHOICES if one[1] in known]), chart


def _with_room(values: list[float]) -> list[float]:
    """The ends of an axis on which no point lies at the edge."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = ROOM * (high - low) or ROOM
    return [low - room, high + room]


def _point(row: Standing, cost: float) -> list[Any]:
    where = FRONT if row.on_front else OTHER
    return [cost, row.value, where, visible(row.user_id), visible(row.title or row.method or "–")]


def history_plot() -> gr.LinePlot:
    """The empty chart of the best score."""
    return gr.LinePlot(
        None, x="time", y="best", tooltip=["user", "method"], height=260, x_title="Time", y_title="",
        container=True, buttons=[],
    )  # fmt: skip


def history_updates(history: History | None) -> tuple[Any, ...]:
    """Updates of the section and of the chart; hidden where there are fewer than two steps."""
    steps = history.items if history else ()
    if history is None or len(steps) < FEWEST:
        return gr.update(visible=False), gr.skip()
    ends = [*(step.at for step in steps[1:]), datetime.now(UTC)]
    points: list[list[Any]] = []
    for step, end in zip(steps, ends, strict=True):
        told = [visible(step.user_id), visible(step.title or step.method or "–")]
        points += [
            [at.timestamp() * 1000, step.value, *told] for at in (step.at, end)
        ]  # level until the next one, or until now
    plot = {
        "columns": ["time", "best", "user", "method"],
        "data": points,
        "datatypes": {"time": "temporal", "best": "quantitative", "user": "nominal", "method": "nominal"},
        "mark": "line",
    }
    limits = _with_room([step.value for step in steps])
    return gr.update(visible=True), gr.update(value=plot, y_title=visible(history.metric), y_lim=limits)
