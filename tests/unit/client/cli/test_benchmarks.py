"""`benchmarks`: what can be submitted for, and for admins what is wrong with it (FLD-9)."""

import pytest

from client.cli.report import MOST_FINDINGS
from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_platform import Platform, problem

pytestmark = pytest.mark.unit

LISTED = {"name": "synthetic", "title": "Surfaces", "primary_metric": "image_auc", "categories": ["weave", "gear"]}
FAULT = {"path": "public/weave/train/good/000.png", "line": None, "rule": "has 16 bits\x1b[2J", "is_note": False}
NOTE = {"path": "public/tile", "line": None, "rule": "is no category", "is_note": True}


def checked(platform: Platform, condition: str, *findings: dict[str, object], **more: object) -> None:
    one = {"name": "synthetic", "condition": condition, "findings": [*findings], "pictures": 3, "unseen": ""} | more
    platform.answers("GET", "/benchmarks/check", {"items": [one]})


def test_they_are_a_table(run: Run, platform: Platform) -> None:
    platform.answers("GET", "/benchmarks", {"items": [LISTED]})
    assert "weave, gear" in run("benchmarks").stdout
    assert '"primary_metric": "image_auc"' in run("benchmarks", "--json").stdout
    assert "no such benchmark" in run("benchmarks", "other").stdout


def test_a_check_names_each_fault(run: Run, platform: Platform) -> None:
    """With its path, harmless for the terminal; a fault is exit code 1, for scripts."""
    checked(platform, "faulty", FAULT, NOTE, more=2)
    done = run("benchmarks", "synthetic", "--check")
    assert done.exit_code == 1
    assert "synthetic: its data has faults; 3 pictures and masks were read." in done.stdout
    assert "public/weave/train/good/000.png: has 16 bits" in done.stdout
    assert "public/tile: note: is no category" in done.stdout
    assert "... and 2 more" in done.stdout
    assert "\x1b" not in done.stdout
    assert platform.asked[0].url.params["benchmark"] == "synthetic"


def test_many_faults_are_counted(run: Run, platform: Platform) -> None:
    checked(platform, "broken", *[FAULT] * (MOST_FINDINGS + 5), more=7)
    shown = run("benchmarks", "--check").stdout
    assert shown.count("000.png") == MOST_FINDINGS
    assert "... and 12 more" in shown
    assert "broken, it takes no jobs" in shown


def test_good_ones_end_with_0(run: Run, platform: Platform) -> None:
    """Notes are no faults; what was not looked at is said."""
    checked(platform, "good", NOTE, unseen="20 s were over")
    done = run("benchmarks", "--check")
    assert done.exit_code == 0
    assert "no fault found" in done.stdout
    assert "20 s were over" in done.stdout


def test_others_are_refused(run: Run, platform: Platform) -> None:
    platform.answers("GET", "/benchmarks/check", problem(403, "not_allowed", "Admins alone may do this."))
    assert run("benchmarks", "--check").exit_code == 3
