"""Boards, benchmarks and resource classes over HTTP."""

from __future__ import annotations

import math

import pytest

from tests.builders import write_benchmark
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit


def test_a_board_is_ranked_with_ones_own_rows_marked(site: Site) -> None:
    """SCO-4: best per user, links that open, own rows marked."""
    first = site.run("ada", {"image_auc": 0.5}, n=1)
    best = site.run("ada", {"image_auc": 0.9}, n=2)
    other = site.run("bob", {"image_auc": 0.7})
    found = site.as_("ada").get("/leaderboard").json()
    assert {key: found[key] for key in ("benchmark", "metric", "direction", "scoring", "total")} == {
        "benchmark": "synthetic",
        "metric": "image_auc",
        "direction": "maximize",
        "scoring": "reported",
        "total": 2,
    }
    rows = [(row["rank"], row["job_id"], row["value"], row["mine"]) for row in found["items"]]
    assert rows == [(1, best, 0.9, True), (2, other, 0.7, False)]
    row = found["items"][0]
    assert row["method"] == "padim"
    assert (
        row["mlflow_ui_url"]
        == f"http://mlflow.example/#/experiments/synthetic/runs/{row['run_id']}?workflowType=machine_learning"
    )
    everything = site.as_("ada").get("/leaderboard?entries=all").json()
    assert [item["job_id"] for item in everything["items"]] == [best, other, first]


def test_a_board_is_paged(site: Site) -> None:
    """`total` counts all rows; ranks go on from page to page."""
    for number in range(3):
        site.run("ada", {"image_auc": number / 10}, n=number)
    page = site.as_("bob").get("/leaderboard?entries=all&limit=1&offset=1").json()
    assert ([row["rank"] for row in page["items"]], page["total"]) == ([2], 3)
    assert site.as_("bob").get("/leaderboard?entries=all&offset=3").json()["items"] == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 7.0, None])
def test_an_unusable_value_breaks_no_board(site: Site, value: float | None) -> None:
    """SCO-3: a value that is missing, no number or out of bounds has no rank, and the board answers."""
    site.run("ada", {"image_auc": 0.5})
    site.run("bob", {"other": 1.0} if value is None else {"image_auc": value, "other": value})
    answer = site.as_("ada").get("/leaderboard")
    assert answer.status_code == 200
    assert [(row["user_id"], row["rank"], row["value"]) for row in answer.json()["items"]] == [
        ("ada", 1, 0.5),
        ("bob", None, None),
    ]
    assert "NaN" not in answer.text
    assert "Infinity" not in answer.text


def test_another_metric_ranks_in_its_own_direction(site: Site) -> None:
    """Any metric of the benchmark; less is better for times."""
    site.run("ada", {"image_auc": 0.9, "inference_time_ms": 50.0})
    site.run("bob", {"image_auc": 0.5, "inference_time_ms": 5.0})
    found = site.as_("ada").get("/leaderboard?metric=inference_time_ms").json()
    assert found["direction"] == "minimize"
    assert [row["user_id"] for row in found["items"]] == ["bob", "ada"]


def test_boards_are_apart(site: Site) -> None:
    """A run counts on its own benchmark only."""
    write_benchmark(site.root / "benchmarks", name="other")
    site.run("ada", benchmark="other")
    assert site.as_("ada").get("/leaderboard").json()["total"] == 0
    assert site.as_("ada").get("/leaderboard?benchmark=other").json()["total"] == 1


@pytest.mark.parametrize("name", ["none", "..", "../synthetic", "a" * 200, "Synthetic", "synthetic%20"])
def test_an_unknown_benchmark_is_not_found(site: Site, name: str) -> None:
    """No name of a query becomes a path unchecked."""
    assert site.as_("ada").get(f"/leaderboard?benchmark={name}").status_code == 404


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("metric=loss", "metric"),
        ("metric=%00", "query"),
        ("benchmark=%00", "query"),
        ("benchmark=synthetic%0A", "query"),
        ("benchmark=%ff", "query"),
        ("entries=some", "entries"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("benchmark=" + "a" * 201, "benchmark"),
    ],
)
def test_a_bad_query_names_its_field(site: Site, query: str, field: str) -> None:
    """422 with the field and the rule; of what is no text the whole query."""
    answer = site.as_("ada").get(f"/leaderboard?{query}")
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


def test_benchmarks_are_listed_with_their_metrics(site: Site) -> None:
    """What a submitter must know to be ranked."""
    assert site.as_("ada").get("/benchmarks").json() == {
        "items": [
            {
                "name": "synthetic",
                "title": "Surfaces",
                "description": "",
                "scoring": "reported",
                "primary_metric": "image_auc",
                "categories": [],
                "metrics": [
                    {"name": "image_auc", "direction": "maximize", "minimum": 0, "maximum": 1, "unit": None},
                    {"name": "inference_time_ms", "direction": "minimize", "minimum": 0, "maximum": None, "unit": "ms"},
                ],
            }
        ]
    }


def test_resource_classes_are_listed_and_the_first_is_the_default(site: Site) -> None:
    """What a run may use."""
    found = site.as_("ada").get("/resource-classes").json()
    assert found["default"] == "small"
    assert found["items"][0] == {
        "name": "small",
        "cpus": 2,
        "memory_bytes": 4 * 1024**3,
        "gpus": "auto",
        "timeout_seconds": 1800,
        "output_bytes": 512 * 1024**2,
    }
    assert [item["name"] for item in found["items"]] == ["small", "medium"]
