"""The leaderboard's page: what the address asks for, and what the page asks of the API."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from client.api.boards import Benchmark, Board
from tests.unit.ui.front import Front
from ui.pages.leaderboard import columns_of

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
    return front.templates.fill("board", board=board, benchmark=BENCHMARK, columns=columns, offset=0, is_admin=False)


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
