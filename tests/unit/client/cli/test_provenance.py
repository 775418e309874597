"""`provenance`: what is known of a result's origin, and why the rest is not."""

import json

import pytest

from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_platform import Platform

pytestmark = pytest.mark.unit

ANSWER = {
    "job_id": "j1", "code_sha256": "1" * 64, "seed": "7\x1b[2J", "libraries": {"torch": "2.15.0"},
    "config": {"model.lr": "x" * 500}, "overrides": {"epochs": 3},
    "unknown": {"data_sha256": "it is gone", "new": "why"},
}  # fmt: skip


def test_it_is_shown_as_lines_and_as_json(run: Run, platform: Platform) -> None:
    platform.answers("GET", "/jobs/j1/provenance", ANSWER)
    shown = run("provenance", "j1").stdout
    assert "1" * 64 in shown
    assert '{"epochs": 3}' in shown
    assert "2.15.0" in shown
    assert "data: it is gone" in shown
    assert "new: why" in shown, "a part that only a newer platform has"
    assert "\x1b" not in shown
    assert "x" * 201 not in shown
    assert json.loads(run("provenance", "j1", "--json").stdout)["config"] == ANSWER["config"]


def test_an_older_platform_has_no_such_call(run: Run) -> None:
    done = run("provenance", "j1")
    assert done.exit_code != 0
