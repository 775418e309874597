"""Boards as files over HTTP (SCO-5)."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.builders import write_benchmark
from tests.sites import Site

pytestmark = pytest.mark.unit


def exported(site: Site, **asked: Any) -> list[dict[str, str]]:
    answer = site.as_("ada").get("/leaderboard/export", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="leaderboard-')
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_csv_has_every_row_of_the_board(site: Site) -> None:
    """In the board's order, more rows than one page or one piece has; numbers in full, missing ones empty."""
    for number in range(4):
        site.run("ada", {"image_auc": 1 / (3 + number)}, n=number)
    site.run("bob", {"other": -0.5})
    rows = exported(site, entries="all")
    assert {row["scores"] for row in rows} == {"claimed"}
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", ""]
    assert [row["image_auc"] for row in rows] == [repr(1 / 3), "0.25", "0.2", repr(1 / 6), ""]
    assert [row["user"] for row in exported(site)] == ["ada", "bob"]
    assert exported(site, metric="other")[0]["other"] == "-0.5"


def test_pieces_join_to_one_board(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON is what the page of the board answers, whatever the size of the pieces."""
    monkeypatch.setattr("gateway.board_export.ROWS_AT_ONCE", 2)
    client = site.as_("ada")
    assert client.get("/leaderboard/export?format=json").json() == client.get("/leaderboard").json()
    for number in range(5):
        site.run("ada", {"image_auc": 0.1 * number}, n=number)
    shown = client.get("/leaderboard?entries=all").json()
    assert client.get("/leaderboard/export?format=json&entries=all").json() == shown
    assert len(exported(site, entries="all")) == shown["total"] == 5


def test_csv_has_the_costs(site: Site) -> None:
    """As numbers; what was not measured is empty."""
    site.post_job("ada")
    site.complete(measured={"wall_seconds": 8.5, "memory_bytes": 1e9})
    row = exported(site)[0]
    names = ("wall_seconds", "memory_bytes", "gpu_memory_bytes", "device_seconds", "on_front")
    assert [row[name] for name in names] == ["8.5", "1000000000.0", "", "", "yes"]


def test_no_text_of_a_run_is_a_formula(site: Site) -> None:
    """A method and a metric's name that a spreadsheet would execute; the metric that ranks has a column, too."""
    write_benchmark(site.root / "benchmarks", name="hostile", metrics=[{"name": "=1+1"}], primary_metric="=1+1")
    job_id = site.post_job("ada", benchmark="hostile")
    site.complete(metrics={"=1+1": 2.0}, params={"method": "=HYPERLINK(1)"})
    row = exported(site, benchmark="hostile")[0]
    assert (row["method"], row["'=1+1"], row["job_id"]) == ("'=HYPERLINK(1)", "2.0", job_id)


@pytest.mark.parametrize(("asked", "status"), [("format=xls", 422), ("metric=loss", 422), ("benchmark=none", 404)])
def test_what_cannot_be_exported_is_told(site: Site, asked: str, status: int) -> None:
    """Before the first byte: the answer is an error, not the beginning of a file."""
    assert site.as_("ada").get(f"/leaderboard/export?{asked}").status_code == status


def test_one_user_gets_a_few_exports_at_once(site: Site) -> None:
    """They count as downloads."""
    files = site.state.open_files
    with files.one_of("ada"), files.one_of("ada"), files.one_of("ada"), files.one_of("ada"):
        assert site.as_("ada").get("/leaderboard/export").status_code == 429
    assert site.as_("ada").get("/leaderboard/export").status_code == 200
