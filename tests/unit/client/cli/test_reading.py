"""Commands that show what there is: status, jobs, results, logs, board, submissions."""

import json

import httpx2
import pytest

from tests.unit.client.cli.answers import BOARD, RESULTS
from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_platform import SUBMISSION, Platform, job

pytestmark = pytest.mark.unit


def test_board_and_json(run: Run, platform: Platform) -> None:
    """The board is a plain table, with own rows starred and foreign names harmless; as JSON it is the API's answer."""
    platform.answers("GET", "/leaderboard", BOARD)
    shown = run("board", "--all", "--metric", "image_auc").stdout
    assert "alice *" in shown
    assert "padim" in shown
    assert "\x1b" not in shown
    assert platform.asked[0].url.params["entries"] == "all"
    assert '"value": 0.98765' in run("board", "--json").stdout


def test_the_board_as_csv(run: Run, platform: Platform) -> None:
    """SCO-5: all rows, without the mark that spreadsheets need; nothing in it reaches the terminal as a command."""
    sent = "\ufeffrank,user\r\n1,ネ\x1b[2J\r\n".encode()
    platform.answers("GET", "/leaderboard/export", httpx2.Response(200, content=sent))
    assert run("board", "--csv", "--all", "--benchmark", "b").stdout == "rank,user\n1,ネ\n"
    assert dict(platform.asked[0].url.params) == {
        "benchmark": "b", "entries": "all", "format": "csv",
    }  # fmt: skip


def test_the_board_of_a_category(run: Run, platform: Platform) -> None:
    """SCO-5: or the latest entries, or mean ranks; the head says which."""
    platform.answers("GET", "/leaderboard", BOARD | {"category": "weave"}, BOARD | {"by": "mean_rank"})
    assert "by image_auc in weave" in run("board", "--category", "weave", "--latest").stdout
    assert dict(platform.asked[0].url.params) == {
        "category": "weave", "entries": "latest", "limit": "50", "offset": "0",
    }  # fmt: skip
    shown = run("board", "--mean-rank").stdout
    assert "by the mean of ranks by image_auc" in shown
    assert "MEAN RANK" in shown
    assert platform.asked[1].url.params["by"] == "mean_rank"


def test_reading_commands(run: Run, platform: Platform) -> None:
    """Status, jobs, results, logs and cancel each show their answer."""
    platform.answers(
        "GET", "/jobs/j1/status", job(status="running", phase="recording", started_at="2026-01-02T03:04:06Z")
    )
    platform.answers("GET", "/jobs", {"items": [job(), job(job_id="j2", user_id="bob")], "next_cursor": None})
    platform.answers("GET", "/jobs/j1/results", RESULTS)
    platform.answers(
        "GET", "/jobs/j1/logs", {"job_id": "j1", "logs": "a\n\x1b[2Jb", "platform": [[0, 2]], "next_offset": 7}
    )
    platform.answers("POST", "/jobs/j1/cancel", job(cancel_requested=True))
    assert "running · recording" in run("status", "j1").stdout
    assert "USER" in run("jobs").stdout
    assert "1.5 kB" in run("results", "j1").stdout
    assert run("logs", "j1").stdout == "> a\n  b\n"
    assert json.loads(run("logs", "j1", "--json").stdout)["platform"] == [[0, 2]]
    assert "cancelling" in run("cancel", "j1").stdout


def test_submissions_are_a_table(run: Run, platform: Platform) -> None:
    """SUB-7: my uploads, newest first."""
    one = SUBMISSION | {"user_id": "alice", "file_count": 3, "size_bytes": 1500}
    platform.answers("GET", "/submissions", {"items": [one], "next_cursor": None})
    assert "1.5 kB" in run("submissions", "--limit", "5").stdout
    assert platform.asked[0].url.params["limit"] == "5"
    platform.answers("GET", "/submissions", {"items": []})
    assert "leadersboard submit" in run("submissions").stdout


def test_weights_are_a_table(run: Run, platform: Platform) -> None:
    """FLD-6: what every run finds, and what to write; foreign names are harmless."""
    one = {"name": "timm/r18\x1b[31m", "kind": "huggingface", "size_bytes": 46_800_000, "use": "create_model(…)"}
    platform.answers("GET", "/weights", {"items": [one]})
    shown = run("weights").stdout
    assert "timm/r18" in shown
    assert "46.8 MB" in shown
    assert "create_model(…)" in shown
    assert "\x1b" not in shown
    assert json.loads(run("weights", "--json").stdout)["items"][0]["size_bytes"] == 46_800_000
    platform.answers("GET", "/weights", {"items": []})
    assert "your platform's admin can add some" in run("weights").stdout


def test_empty_lists_say_what_to_do(run: Run, platform: Platform) -> None:
    """Nothing to show is not an empty screen."""
    platform.answers("GET", "/jobs", {"items": []})
    platform.answers("GET", "/leaderboard", {"benchmark": "b", "metric": "m", "items": [], "total": 0})
    assert "leadersboard submit" in run("jobs").stdout
    assert "leadersboard submit" in run("board").stdout
