"""Boards over HTTP (SCO-3, SCO-4, DOR-3)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.domain.tracking_state import TrackedRun
from core.ports.tracking import RunRef
from tests.builders import write_benchmark
from tests.sites import Site, bearer

pytestmark = pytest.mark.unit


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.as_("ada")


def rows(client: TestClient, user: str = "ada", **asked: Any) -> list[tuple[Any, ...]]:
    items = client.get("/leaderboard", params=asked, headers=bearer(user)).json()["items"]
    return [(item["rank"], item["user_id"], item["value"], item["mine"]) for item in items]


def test_ranks_ties_and_what_cannot_be_ranked(site: Site, client: TestClient) -> None:
    """SCO-3, SCO-4: best first, ties share a rank, missing or out of bounds is never first; own rows marked."""
    for user, metrics in (
        ("ada", {"image_auc": 0.9}), ("bob", {"image_auc": 0.9}), ("ada", {"image_auc": 0.5}),
        ("root", {"image_auc": 7.0}), ("bob", {"inference_time_ms": 3.0}),
    ):  # fmt: skip
        site.run(user, metrics)
    assert rows(client) == [(1, "ada", 0.9, True), (1, "bob", 0.9, False), (None, "root", None, False)]
    assert rows(client, "bob", entries="all")[:3] == [
        (1, "ada", 0.9, False), (1, "bob", 0.9, True), (3, "ada", 0.5, False),
    ]  # fmt: skip
    assert rows(client, metric="inference_time_ms")[0] == (1, "bob", 3.0, False)
    assert rows(client, entries="all", limit=2, offset=1) == rows(client, entries="all")[1:3]
    assert client.get("/leaderboard", params={"entries": "all", "limit": 1}).json()["total"] == 5


def test_any_metric_that_runs_report(site: Site, client: TestClient) -> None:
    """SCO-4: also one that the benchmark does not name, either way; rows show no more metrics than they must."""
    site.run("ada", {"image_auc": 0.5, "loss": 2.0, "noise": 9.0})
    site.run("bob", {"image_auc": 0.6, "loss": 1.0})
    assert [row[1] for row in rows(client, metric="loss", direction="minimize")] == ["bob", "ada"]
    assert [row[1] for row in rows(client, metric="loss")] == ["ada", "bob"]
    shown = client.get("/leaderboard", params={"metric": "loss"}).json()["items"][0]["metrics"]
    assert shown == {"image_auc": 0.5, "loss": 2.0}
    unknown = client.get("/leaderboard", params={"metric": "nonsense"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "metric")
    assert client.get("/leaderboard", params={"benchmark": "nonsense"}).status_code == 404


def test_the_latest_of_each_user(site: Site, client: TestClient) -> None:
    """SCO-5: by the job's end; the answer names what it shows. Without categories there is nothing to choose."""
    site.run("ada", {"image_auc": 0.9}, n=1)
    site.run("ada", {"image_auc": 0.5}, n=2)
    assert rows(client, entries="latest") == [(1, "ada", 0.5, True)]
    found = client.get("/leaderboard", params={"entries": "latest"}).json()
    assert {key: found[key] for key in ("entries", "category", "by", "categories")} == {
        "entries": "latest", "category": None, "by": "value", "categories": [],
    }  # fmt: skip
    refused = client.get("/leaderboard", params={"category": "weave"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "category")
    assert client.get("/leaderboard", params={"by": "mean_rank"}).json()["items"][0]["rank"] is None


def test_costs_stand_beside_values(site: Site, client: TestClient) -> None:
    """SCO-5: as measured; a board ranks by each, less is better; the front is marked among all rows of all pages."""
    for user, value, seconds, memory in (("ada", 0.9, 100.0, 5e8), ("bob", 0.8, 50.0, 6e8), ("root", 0.7, 60.0, 1e8)):
        site.post_job(user)
        measured = {"wall_seconds": seconds, "memory_bytes": memory}
        site.complete(metrics={"image_auc": value}, measured=measured)

    def front(**asked: Any) -> list[str]:
        items = client.get("/leaderboard", params=asked).json()["items"]
        return [item["user_id"] for item in items if item["on_front"]]

    first = client.get("/leaderboard", params={"limit": 1}).json()
    assert (first["cost"], first["items"][0]["costs"]) == ("wall_seconds", {"wall_seconds": 100.0, "memory_bytes": 5e8})
    assert (front(), front(cost="memory_bytes"), front(cost="gpu_memory_bytes")) == (
        ["ada", "bob"],
        ["ada", "root"],
        [],
    )
    assert front(limit=2, offset=1) == ["bob"]
    assert [row[:2] for row in rows(client, metric="system/memory_bytes")] == [(1, "root"), (2, "ada"), (3, "bob")]
    assert client.get("/leaderboard", params={"cost": "money"}).status_code == 422


def test_what_somebody_does_in_mlflow_moves_no_rank(site: Site, client: TestClient) -> None:
    """DOR-3: another value, a deleted run, and a run of no job; each is shown as what it is."""
    site.run("ada", {"image_auc": 0.5})
    best = site.run("bob", {"image_auc": 0.9})
    before = rows(client)
    assert before == [(1, "bob", 0.9, False), (2, "ada", 0.5, True)]
    refs = {job_id: ref for job_id, (ref, _result) in site.ports.tracking.results.items()}
    loser = next(job_id for job_id in refs if job_id != best)
    site.ports.tracking.changes[refs[loser].run_id] = {"metrics": {"image_auc": 0.9999}}
    site.ports.tracking.results["f" * 32] = (replace(refs[best], run_id="forged"), site.ports.tracking.results[best][1])
    del site.ports.tracking.results[best]
    assert compared_anew(site) == {"ada": "changed", "bob": "missing"}
    assert rows(client) == before
    items = {item["user_id"]: item for item in client.get("/leaderboard").json()["items"]}
    assert items["ada"]["tracking"]["differences"] == ["metric image_auc is 0.9999, recorded 0.5"]


def test_a_board_is_there_without_mlflow(site: Site, client: TestClient) -> None:
    """DOR-3: ranks come from the ledger; how the runs stand is unknown."""
    site.run("ada", {"image_auc": 0.5})
    site.ports.tracking.away = True
    assert compared_anew(site) == {"ada": "unknown"}
    assert rows(client) == [(1, "ada", 0.5, True)]


def test_runs_are_compared_seldom_and_nobody_waits_for_it(site: Site, client: TestClient) -> None:
    """PER-3: at most once a minute for each benchmark, however many look."""
    site.run("ada", {"image_auc": 0.5})
    asked: list[int] = []
    tracked = site.ports.tracking.tracked

    def counted(refs: Sequence[RunRef]) -> Mapping[str, TrackedRun]:
        asked.append(len(refs))
        return tracked(refs)

    site.ports.tracking.tracked = counted  # type: ignore[method-assign]
    for _look in range(20):
        rows(client)
    assert compared_anew(site, forget=False) == {"ada": "as_recorded"}
    assert asked == [1]


def compared_anew(site: Site, *, forget: bool = True) -> dict[str, str]:
    """By user, once the comparison that the next look begins has ended."""
    watch, client = site.state.tracking_watch, site.as_("ada")
    if forget:
        watch.forget("synthetic")
    client.get("/leaderboard")
    watch.settle()
    items = client.get("/leaderboard", params={"entries": "all"}).json()["items"]
    return {item["user_id"]: item["tracking"]["state"] for item in items}


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


@pytest.mark.slow
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
