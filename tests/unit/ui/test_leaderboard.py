"""The leaderboard's page: what the address asks for, and what the page asks of the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from client.api.boards import Benchmark, Board, History
from tests.unit.client.fake_platform import problem
from tests.unit.ui.front import Front
from tests.unit.ui.gradio_calls import called
from tests.unit.ui.served import Served
from ui.pages.leaderboard import columns_of, shown_costs
from ui.pages.score_chart import chart_updates, history_updates

pytestmark = pytest.mark.unit

METRICS = [{"name": "image_auc", "maximum": 1.0}, {"name": "time", "direction": "minimize"}]
BENCHMARK = Benchmark.model_validate(
    {"name": "synthetic", "title": "S", "primary_metric": "image_auc", "metrics": METRICS}
)
ROW: dict[str, Any] = {"user_id": "ann", "job_id": "j1", "submission_id": "s1", "rank": 1, "value": 1.5}


def shown(front: Front, **changes: Any) -> str:
    values = {"benchmark": "synthetic", "metric": "image_auc", "items": [ROW], "total": 1}
    board = Board.model_validate(values | changes)
    columns = columns_of(board, BENCHMARK)
    return front.templates.fill(
        "board", board=board, benchmark=BENCHMARK, columns=columns, costs=shown_costs(board), offset=0, is_admin=False
    )


@pytest.mark.parametrize(
    ("state", "query"),
    [
        ({"entries": "latest"}, {"entries": ["latest"]}),
        ({"category": "a&b=c"}, {"entries": ["best"], "category": ["a&b=c"]}),
        ({"by": "mean_rank"}, {"entries": ["best"], "by": ["mean_rank"]}),
    ],
)
def test_the_address_and_the_export_name_everything_that_is_shown(
    front: Front, state: dict[str, str], query: dict[str, list[str]]
) -> None:
    """So that a link leads to the same rows."""
    html = shown(front, **state)
    address = html.partition('data-query="?')[2].partition('"')[0].replace("&amp;", "&")
    assert parse_qs(address) == {"benchmark": ["synthetic"], "metric": ["image_auc"]} | query
    export = html.partition('href="/leaderboard/export?')[2].partition('"')[0].replace("&amp;", "&")
    assert parse_qs(export) == parse_qs(address) | {"format": ["csv"]}


def test_a_mean_rank_has_a_column_of_its_own(front: Front) -> None:
    """The metric keeps its own, and heads still lead to the other metrics."""
    html = shown(front, by="mean_rank")
    assert "Mean rank" in html
    assert "1.500" in html
    assert "lower is better" in html
    assert html.count('class="lb-num lb-chosen"') == 2


def test_a_metric_that_the_benchmark_does_not_name_has_a_column(front: Front) -> None:
    html = shown(front, metric="loss", direction="minimize")
    assert 'data-metric="loss"' in html
    assert "lower is better" in html


COSTS = {"wall_seconds": 90.0, "memory_bytes": 2e9}


def test_costs_have_columns_that_rank_and_mark_the_front(front: Front) -> None:
    """Time and memory always, others where a row has them; in words for those who see no colour."""
    html = shown(front, items=[ROW | {"costs": COSTS, "on_front": True}, ROW | {"costs": {"device_seconds": 5.0}}])
    assert 'data-metric="system/wall_seconds"' in html
    assert 'data-metric="system/device_seconds"' in html
    assert "gpu_memory" not in html
    assert "1 min 30 s" in html
    assert html.count('aria-label="on the front"') == 1
    assert html.count('data-metric="system/memory_bytes"') == shown(front, metric="system/memory_bytes").count(
        'data-metric="system/memory_bytes"'
    )


def test_the_chart_shows_the_rows_that_have_both() -> None:
    """In minutes or GB; foreign names visible; hidden where there is nothing to compare."""
    rows = [
        ROW | {"costs": COSTS, "value": 0.5, "on_front": True, "method": "a\u202eb"},
        ROW | {"costs": COSTS, "value": 0.25, "title": "mine"},
        ROW | {"value": 0.1},
        ROW | {"costs": COSTS, "value": None},
    ]
    values = {"benchmark": "synthetic", "metric": "image_auc", "items": rows, "total": 4}
    section, choices, plot = chart_updates(Board.model_validate(values))
    assert [cost for _name, cost in choices["choices"]] == ["wall_seconds", "memory_bytes"]
    assert section["visible"] is True
    assert plot["value"]["data"] == [
        [1.5, 0.5, "on the front", "ann", "a‹U+202E›b"], [1.5, 0.25, "other", "ann", "mine"],
    ]  # fmt: skip
    assert plot["x_title"] == "Time (minutes)"
    low, high = plot["y_lim"]
    assert (low < 0.25, high > 0.5) == (True, True)
    _section, _choices, plot = chart_updates(Board.model_validate(values | {"cost": "memory_bytes"}))
    assert (plot["value"]["data"][0][0], plot["x_title"]) == (2.0, "Peak memory (GB)")
    section, *_rest = chart_updates(Board.model_validate(values | {"items": rows[1:]}))
    assert section["visible"] is False


def test_an_old_link_shows_the_benchmarks_own_board(ui: Served) -> None:
    """A metric that no run reports any more, or a category that is gone; the rest of the link holds."""

    def board(asked: httpx2.Request) -> httpx2.Response:
        given = asked.url.params
        if given["metric"] != "image_auc" or "category" in given:
            return problem(422, "invalid_input", "metric: must be one of image_auc")
        values = {"benchmark": "synthetic", "metric": "image_auc", "entries": given["entries"], "items": [ROW]}
        return httpx2.Response(200, json=values | {"total": 1})

    ui.platform.answers("GET", "/benchmarks", {"items": [BENCHMARK.model_dump()]})
    ui.platform.answers("GET", "/leaderboard", board)
    answer = called(ui, "ui.pages.leaderboard", "choice", "synthetic", "gone", "all", "in:weave", "wall_seconds")
    assert answer[0] == ""
    assert "entries=all" in answer[1]


def test_the_best_score_is_drawn_in_steps() -> None:
    """Level until the next one; hidden with fewer than two steps, or where it could not be read."""
    steps = [
        {"at": "2026-01-02T00:00:00Z", "value": 0.5, "user_id": "ann", "job_id": "j1", "title": "a\u202eb"},
        {"at": "2026-01-03T00:00:00Z", "value": 0.7, "user_id": "bob", "job_id": "j2"},
    ]
    values = {"benchmark": "b", "metric": "m", "items": steps}
    section, plot = history_updates(History.model_validate(values))
    assert section["visible"] is True
    data = plot["value"]["data"]
    assert [row[1] for row in data] == [0.5, 0.5, 0.7, 0.7]
    assert data[1][0] == data[2][0] == data[0][0] + 24 * 3600 * 1000
    assert data[0][3] == "a‹U+202E›b"
    assert history_updates(History.model_validate(values | {"items": steps[:1]}))[0]["visible"] is False
    assert history_updates(None)[0]["visible"] is False
