"""Nothing that is done in MLflow changes a score or a rank, on a real gateway, Redis and MLflow (DOR-3)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis

from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.results import RedisResults
from core.usecases.seal_old_results import SealOldResults
from runner.recovery.stale_results import ClosedRuns, left_open
from tests.builders import write_benchmark
from tests.conftest import redis_url
from tests.integration.attacked_results import SCORES, Site
from tests.running_gateway import Door, environment, free_port, gateway_thread

pytestmark = pytest.mark.integration


@pytest.fixture
def site(redis_client: redis.Redis, mlflow_url: str, fresh_name: str) -> Iterator[Site]:
    with closing(MlflowTracking(mlflow_url)) as tracking:
        made = Site(
            ledger=RedisJobStatus(redis_client), results=RedisResults(redis_client), tracking=tracking,
            mlflow_url=mlflow_url, benchmark=fresh_name, jobs={}, refs={},
        )  # fmt: skip
        for user, score in SCORES.items():
            made.job(user, score)
        yield made


@pytest.fixture
def door(site: Site, tmp_path: Path, mlflow_url: str) -> Iterator[Door]:
    write_benchmark(tmp_path / "benchmarks", name=site.benchmark)
    with gateway_thread(tmp_path, environment(tmp_path, redis_url=redis_url(), mlflow_url=mlflow_url)) as opened:
        yield opened


def board(door: Door, site: Site) -> list[dict[str, Any]]:
    with door.client() as client:
        answer = client.get("/leaderboard", params={"benchmark": site.benchmark, "entries": "all"})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def ranks(items: list[dict[str, Any]]) -> list[tuple[int, str, float]]:
    return [(row["rank"], row["user_id"], row["value"]) for row in items]


RECORDED = [(place, user, score) for place, (user, score) in enumerate(SCORES.items(), start=1)]


ATTACKS: dict[str, tuple[Callable[[Site], object], str]] = {
    "one metric more": (
        lambda site: site.call(
            "/runs/log-metric", run_id=site.refs["eve"].run_id, key="image_auc", value=0.9999,
            timestamp=int(time.time() * 1000) + 10**6, step=1,
        ),
        "changed",
    ),
    "not a number": (
        lambda site: site.call(
            "/runs/log-metric", run_id=site.refs["eve"].run_id, key="image_auc", value="NaN", timestamp=2**42, step=1
        ),
        "changed",
    ),
    "another's name": (
        lambda site: site.call(
            "/runs/set-tag", run_id=site.refs["eve"].run_id, key="leadersboard.user_id", value="ann"
        ),
        "changed",
    ),
    "an earlier end": (
        lambda site: site.call("/runs/update", run_id=site.refs["eve"].run_id, status="FINISHED", end_time=1),
        "changed",
    ),
    "opened again": (
        lambda site: site.call("/runs/update", run_id=site.refs["eve"].run_id, status="RUNNING"),
        "changed",
    ),
    "deleted": (lambda site: site.call("/runs/delete", run_id=site.refs["eve"].run_id), "missing"),
    "a run of no job": (
        lambda site: site.forged("eve", 0.9999, **{"leadersboard.job_id": "f" * 32}),
        "as_recorded",
    ),
    "a second run of a job": (lambda site: site.forged("eve", 0.9999), "as_recorded"),
    "its experiment renamed": (
        lambda site: site.call(
            "/experiments/update", experiment_id=site.refs["eve"].experiment_id, new_name=f"{site.benchmark}-gone"
        ),
        "as_recorded",
    ),
    "its experiment deleted": (
        lambda site: site.call("/experiments/delete", experiment_id=site.refs["eve"].experiment_id),
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", ATTACKS)
def test_nothing_in_mlflow_moves_a_rank(site: Site, door: Door, how: str) -> None:
    """Each is one or a few REST calls; ranks stay, and the row says what was done to its run."""
    attack, state = ATTACKS[how]
    attack(site)
    assert ranks(board(door, site)) == RECORDED
    deadline = time.monotonic() + 120
    while (states := {row["user_id"]: row["tracking"]["state"] for row in board(door, site)})["ann"] == "unknown":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    if state:
        assert states == dict.fromkeys(SCORES, "as_recorded") | {"eve": state}
    assert ranks(board(door, site)) == RECORDED
    with door.client(door.admin_token) as client:
        results = client.get(f"/jobs/{site.jobs['eve']}/results").json()
        assert results["metrics"] == {"image_auc": 0.5}
        if state:
            assert results["tracking"]["state"] == state
            assert bool(results["tracking"]["differences"]) == (state != "as_recorded")


def test_an_admin_writes_a_result_back(site: Site, door: Door) -> None:
    """And nobody else; a run that MLflow has lost for good is said to be gone."""
    site.call(
        "/runs/log-metric", run_id=site.refs["eve"].run_id, key="image_auc", value=0.9999, timestamp=2**42, step=3
    )
    path = f"/admin/results/{site.jobs['eve']}/restore"
    with door.client() as client:
        assert client.post(path).status_code == 403
    with door.client(door.admin_token) as client:
        assert client.post(path).json() == {"state": "as_recorded", "differences": []}
        assert client.post(f"/admin/results/{'f' * 32}/restore").status_code == 404
    assert site.tracking.get_run(site.refs["eve"].run_id).metrics == {"image_auc": 0.5}


def test_files_that_were_replaced_are_shown(site: Site, door: Door, tmp_path: Path) -> None:
    """By their size; their SHA-256 is in the list, for whoever fetches one."""
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "notes.txt").write_bytes(b"as it was")
    site.job("fay", 0.4, folder=folder)
    ref = site.refs["fay"]
    url = f"{site.mlflow_url}/api/2.0/mlflow-artifacts/artifacts/{ref.experiment_id}/{ref.run_id}/artifacts/notes.txt"
    httpx2.put(url, content=b"something else").raise_for_status()
    with door.client(door.admin_token) as client:
        results = client.get(f"/jobs/{site.jobs['fay']}/results").json()
        listed = client.get(f"/jobs/{site.jobs['fay']}/artifacts").json()["items"]
        fetched = client.get(f"/jobs/{site.jobs['fay']}/artifacts/notes.txt")
    assert results["tracking"]["differences"] == ["file notes.txt has 14 bytes, recorded 9"]
    assert (listed[0]["size_bytes"], len(listed[0]["sha256"])) == (9, 64)
    assert fetched.headers["X-Recorded-SHA256"] == listed[0]["sha256"]


def test_no_tag_and_no_status_makes_a_sweeper_remove_a_result(site: Site) -> None:
    """An attacker gives a result another job's id, or opens it again: it stays; a forged result of a job goes."""
    for user, tag in (("ann", site.jobs["eve"]), ("bob", site.jobs["bob"])):
        run_id = site.refs[user].run_id
        site.call("/runs/set-tag", run_id=run_id, key="leadersboard.job_id", value=tag)
        if user == "bob":
            site.call("/runs/update", run_id=run_id, status="RUNNING")
    forged = site.forged("cyd", 0.9999)
    asked: dict[str, Any] = {"site": site.ledger.ledger_id(), "job_of": site.ledger.get}
    names = [site.benchmark]
    assert list(left_open(site.tracking, site.results, names, **asked)) == []
    assert list(ClosedRuns().untrue(site.tracking, site.results, names, **asked)) == [forged]


def test_a_board_without_mlflow(site: Site, tmp_path: Path) -> None:
    """Ranks are there; how the runs stand is unknown."""
    write_benchmark(tmp_path / "benchmarks", name=site.benchmark)
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url=f"http://127.0.0.1:{free_port()}")
    with gateway_thread(tmp_path, env) as door:
        items = board(door, site)
    assert ranks(items) == RECORDED
    assert {row["tracking"]["state"] for row in items} == {"unknown"}


def test_old_jobs_are_sealed_once_from_mlflow(site: Site, door: Door) -> None:
    """Jobs that completed before results were sealed; whose run is gone stays unranked, with the reason."""
    site.job("old", 0.95, sealed=False)
    site.job("older", 0.85, sealed=False)
    site.call("/runs/delete", run_id=site.refs["older"].run_id)
    sealing = SealOldResults(job_status=site.ledger, results=site.results, tracking=site.tracking)
    assert [sealing(), sealing()] == [(1, 1), (0, 1)]
    assert ranks(board(door, site)) == [
        (place, user, score) for place, (user, score) in enumerate({"old": 0.95, **SCORES}.items(), start=1)
    ]
    with door.client(door.admin_token) as client:
        old = client.get(f"/jobs/{site.jobs['old']}/results").json()
        older = client.get(f"/jobs/{site.jobs['older']}/results").json()
    assert (old["sealed_from"], old["tracking"]["state"]) == ("tracking", "as_recorded")
    assert (older["metrics"], older["tracking"]["state"]) == ({}, "missing")
    assert "its run was deleted in MLflow" in older["tracking"]["differences"][0]


def test_results_of_an_old_job_are_read_when_somebody_asks(site: Site, door: Door) -> None:
    """Before the sweeper came to it; from then on they are sealed."""
    site.job("old", 0.95, sealed=False)
    with door.client(door.admin_token) as client:
        found = client.get(f"/jobs/{site.jobs['old']}/results").json()
    assert (found["metrics"], found["sealed_from"]) == ({"image_auc": 0.95}, "tracking")
    assert site.results.unsealed() == []
