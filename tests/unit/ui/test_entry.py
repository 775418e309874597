"""An entry on the pages: what the board says of it, and what its owner can do on the job's page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from client.api.boards import Benchmark, Board, Entry
from tests.unit.client.fake_platform import problem
from tests.unit.ui.front import Front
from tests.unit.ui.gradio_calls import called
from tests.unit.ui.served import Served

pytestmark = pytest.mark.unit

METRIC = {"name": "image_auc", "maximum": 1.0}
BENCHMARK = Benchmark.model_validate(
    {"name": "synthetic", "title": "S", "primary_metric": "image_auc", "metrics": [METRIC]}
)
ROW: dict[str, Any] = {"user_id": "ann", "job_id": "j1", "submission_id": "s1"}
ENTRY = {"job_id": "j1", "user_id": "alice", "benchmark": "synthetic", "title": "mine", "note": "", "hidden": False}


def board(front: Front, *rows: dict[str, Any]) -> str:
    shown = Board.model_validate({
        "benchmark": "synthetic", "metric": "image_auc", "total": len(rows), "items": [ROW | row for row in rows],
    })  # fmt: skip
    return front.templates.fill(
        "board", board=shown, benchmark=BENCHMARK, columns=BENCHMARK.metrics, costs=[], offset=0, is_admin=False
    )


def test_a_row_has_its_owners_words_and_the_reason_without_a_rank(front: Front) -> None:
    """Escaped; a ranked row says nothing of reasons."""
    html = board(
        front,
        {"rank": 1, "value": 0.9, "title": "<i>mine</i>", "note": "a\u202eb"},
        {"unranked_because": "disqualified: <b>", "disqualified": True},
    )
    assert "&lt;i&gt;mine&lt;/i&gt;" in html
    assert "a‹U+202E›b" in html
    assert "Not ranked: disqualified: &lt;b&gt;" in html
    assert html.count("Not ranked") == 1
    assert "lb-badge-baseline" not in html
    assert "lb-badge-baseline" in board(front, {"rank": None, "value": 0.5, "baseline": True})


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ({}, "Everybody"),
        ({"hidden": True}, "Hidden"),
        ({"baseline": True}, "Baseline"),
        ({"disqualified_because": "<x>"}, "&lt;x&gt;"),
    ],
)
def test_the_jobs_page_says_how_the_entry_stands(front: Front, state: dict[str, Any], word: str) -> None:
    assert word in front.templates.fill("entry", entry=Entry.model_validate(ENTRY | state), saved=False)


def test_the_section_changes_the_entry_as_its_user(ui: Served) -> None:
    """Title and note are sent as they are; a failure is told, and what was typed stays."""
    ui.platform.asked.clear()
    ui.platform.answers("PATCH", "/jobs/j1/entry", ENTRY)
    answer = called(ui, "ui.pages.entry", "save", "j1", "mine", "")
    sent = next(asked for asked in ui.platform.asked if asked.method == "PATCH")
    assert json.loads(sent.content) == {"title": "mine", "note": ""}
    assert sent.headers["authorization"] == "Bearer alices-token"
    assert answer[0] == ""
    assert "Saved" in answer[1]
    assert answer[3] == "mine"
    ui.platform.answers("PATCH", "/jobs/j1/entry", problem(422, "invalid_input", "title: is too long"))
    assert "title: is too long" in called(ui, "ui.pages.entry", "save", "j1", "x", "")[0]


def test_a_trial_shows_no_section_and_no_error(ui: Served) -> None:
    ui.platform.answers("GET", "/jobs/j2/entry", problem(409, "conflict", "This job is on no board."))
    answer = called(ui, "ui.pages.entry", "first", "j2")
    assert answer[0] == ""
    assert answer[2]["visible"] is False
