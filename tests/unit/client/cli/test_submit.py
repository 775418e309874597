"""`leadersboard submit`: what it sends, and what it prints."""

from pathlib import Path

import pytest

from tests.unit.client.cli.answers import RESULTS, accepts
from tests.unit.client.cli.conftest import Run
from tests.unit.client.fake_platform import SUBMISSION, Platform, job

pytestmark = pytest.mark.unit


def test_submit_prints_the_job_alone(run: Run, platform: Platform, folder: str) -> None:
    """A script gets the job's id on standard output, people get the next step beside it."""
    accepts(platform)
    done = run("submit", folder, "--set", "epochs=3", "--benchmark", "synthetic")
    assert (done.exit_code, done.stdout) == (0, "j1\n")
    assert "leadersboard logs j1 -f" in done.stderr
    assert platform.asked[1].content == (
        b'{"submission_id":"s1","config":{"epochs":3,"benchmark":"synthetic","resource_class":"small"}}'
    )


def test_submit_says_what_was_left_out(run: Run, platform: Platform, folder: str) -> None:
    """FLD-1: beside the job's id, and with nothing in it that moves the cursor."""
    accepts(platform)
    platform.answers("POST", "/submissions", SUBMISSION | {"notes": ["3 files\x1b[2J were left out."]})
    done = run("submit", folder)
    assert (done.exit_code, done.stdout) == (0, "j1\n")
    assert "were left out." in done.stderr
    assert "\x1b" not in done.stderr


def test_submit_says_which_environments_stay_out(run: Run, platform: Platform, folder: str) -> None:
    """Field case 13."""
    accepts(platform)
    (Path(folder) / "venv").mkdir()
    (Path(folder) / "venv" / "pyvenv.cfg").touch()
    done = run("submit", folder)
    assert done.exit_code == 0
    assert "venv/ is a virtual environment and is left out" in done.stderr


def test_wait_is_without_the_log(run: Run, platform: Platform, folder: str) -> None:
    """`--wait` never asks for the log."""
    accepts(platform, job(status="completed", phase="done"))
    done = run("submit", folder, "--wait")
    assert (done.exit_code, "first" in done.stdout) == (0, False)


@pytest.mark.parametrize("words", [["submit", "/nowhere"], ["submit", "{folder}", "--set", "x"], ["nonsense"], []])
def test_wrong_usage_is_two(run: Run, folder: str, words: list[str]) -> None:
    """What was typed wrong is told before anything is sent."""
    assert run(*(word.format(folder=folder) for word in words)).exit_code == 2


def test_wait_says_why_a_job_is_not_ranked(run: Run, platform: Platform, folder: str) -> None:
    """FLD-4: once, in the platform's words; the board is not asked for a rank that is not there."""
    told = {"ranked": False, "unranked_because": "image_auc is missing (you wrote auroc)", "notes": ["A note."]}
    accepts(platform, job(status="completed", phase="done", **told))
    platform.answers("GET", "/jobs/j1/results", RESULTS | told)
    done = run("submit", folder, "--wait")
    assert done.stdout.count("image_auc is missing (you wrote auroc)") == 1
    assert "A note." in done.stdout
    assert "/leaderboard" not in [asked.url.path for asked in platform.asked]


@pytest.mark.parametrize(("created", "is_told"), [("2026-01-02T03:04:04Z", True), ("2026-01-02T03:04:06Z", False)])
def test_the_same_files_are_the_same_job_unless_they_were_only_tried(
    run: Run, platform: Platform, folder: str, created: str, *, is_told: bool
) -> None:
    """JOB-2: the first submission's job. A job that this post made is new, and is not called an old one."""
    accepts(platform)
    platform.answers("POST", "/submissions", SUBMISSION | {"submission_id": "s2", "duplicate_of": "s1"})
    platform.answers("POST", "/jobs", job(created_at=created))
    done = run("submit", folder)
    assert ("this is the same job" in done.stderr) is is_told
    assert b'"submission_id":"s1"' in platform.asked[1].content
