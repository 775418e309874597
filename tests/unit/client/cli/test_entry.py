"""`entry`: what a board says about one's entry."""

import json

import pytest

from tests.unit.client.cli.answers import BOARD
from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_platform import Platform

pytestmark = pytest.mark.unit

ENTRY = {"job_id": "j1", "user_id": "alice", "benchmark": "synthetic", "title": "mine\x1b[2J", "note": "n"}


def test_an_entry_is_shown_and_changed(run: Run, platform: Platform) -> None:
    """Only what was given is sent; foreign words are harmless."""
    platform.answers("GET", "/jobs/j1/entry", ENTRY | {"hidden": True})
    platform.answers("PATCH", "/jobs/j1/entry", ENTRY)
    shown = run("entry", "j1", "--title", "mine", "--hide").stdout
    assert json.loads(platform.asked[0].content) == {"title": "mine", "hidden": True}
    assert "leadersboard entry j1 --show" in shown
    assert "\x1b" not in shown
    assert '"hidden": true' in run("entry", "j1", "--json").stdout
    run("entry", "j1", "--note", "", "--show")
    assert json.loads(platform.asked[-2].content) == {"note": "", "hidden": False}


def test_admins_disqualify_and_restore(run: Run, platform: Platform) -> None:
    out = ENTRY | {"disqualified_because": "it read the labels"}
    platform.answers("POST", "/admin/entries/j1/disqualify", out)
    platform.answers("POST", "/admin/entries/j1/restore", ENTRY)
    assert "Disqualified: it read the labels" in run("entry", "j1", "--disqualify", "it read the labels").stdout
    assert json.loads(platform.asked[0].content) == {"reason": "it read the labels"}
    assert "On the board." in run("entry", "j1", "--restore", "it did not").stdout
    assert run("entry", "j1", "--restore", "a", "--disqualify", "b").exit_code == 2


def test_the_board_says_why_a_row_has_no_rank(run: Run, platform: Platform) -> None:
    row = BOARD["items"][0] | {"rank": None, "unranked_because": "image_auc is missing", "title": "t"}  # type: ignore[index]
    platform.answers("GET", "/leaderboard", BOARD | {"items": [row]})
    shown = run("board").stdout
    assert "Not ranked: alice, j1: image_auc is missing." in shown
    assert "padim, t" in shown


def test_the_board_shows_what_a_run_took(run: Run, platform: Platform) -> None:
    """And marks what no other beats."""
    row = BOARD["items"][0] | {"costs": {"wall_seconds": 90.0, "memory_bytes": 2e9}, "on_front": True}  # type: ignore[index]
    platform.answers("GET", "/leaderboard", BOARD | {"items": [row]})
    assert "1 min 30 s +" in run("board").stdout


def test_admins_pin_baselines(run: Run, platform: Platform) -> None:
    platform.answers("POST", "/admin/entries/j1/baseline", ENTRY | {"baseline": True})
    platform.answers("DELETE", "/admin/entries/j1/baseline", ENTRY)
    platform.answers("GET", "/jobs/j1/entry", ENTRY | {"baseline": True})
    assert "Baseline" in run("entry", "j1", "--baseline").stdout
    run("entry", "j1", "--no-baseline")
    assert [asked.method for asked in platform.asked] == ["POST", "GET", "DELETE", "GET"]
    row = BOARD["items"][0] | {"rank": None, "baseline": True}  # type: ignore[index]
    platform.answers("GET", "/leaderboard", BOARD | {"items": [row]})
    assert "[baseline]" in run("board").stdout


def test_the_history_of_the_best_score(run: Run, platform: Platform) -> None:
    """SCO-5: as a table, foreign words harmless."""
    step = {"at": "2026-01-02T03:04:05Z", "value": 0.5, "user_id": "ann", "job_id": "j1", "method": "p\x1b[2J"}
    platform.answers("GET", "/leaderboard/history", {"benchmark": "b", "metric": "m", "items": [step]})
    shown = run("board", "--history", "--metric", "m").stdout
    assert "2026-01-02 03:04" in shown
    assert "\x1b" not in shown
    assert dict(platform.asked[0].url.params) == {"metric": "m"}
