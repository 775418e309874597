"""What a waiting job may expect, as lines of text."""

import pytest

from client.api.models import Job, Results
from client.cli.report import job_lines, results_lines
from tests.unit.client.fake_platform import job

pytestmark = pytest.mark.unit


def text_of(**changes: object) -> str:
    return "\n".join(job_lines(Job.model_validate(job(**changes))))


def test_a_job_that_nobody_takes_says_so() -> None:
    """JOB-5: and nothing of it once it runs; a terminal's codes in it are inert."""
    assert "No runner is ready" in text_of(status="pending", notice="No runner is ready for class small.")
    assert "No runner" not in text_of(status="running", notice="No runner is ready for class small.")
    assert "\x1b[2J" not in text_of(status="pending", notice="\x1b[2Jx")


def test_an_estimate_is_told_as_a_range() -> None:
    """Issue 5: no finer than it is known."""
    told = text_of(status="pending", estimate={"starts_in": [0, 320], "runs_for": [95, 160]})
    assert "at most 5 min, then runs for 1 min 35 s to 2 min 40 s" in told


def test_what_does_not_count_of_a_report_is_told() -> None:
    """FLD-3, FLD-4: with the state and with the results; safe for the terminal."""
    told = {"notes": ["a\x1b[2J was left out."], "ranked": False, "unranked_because": "image_auc is missing"}
    for text in (
        text_of(status="completed", **told),
        "\n".join(results_lines(Results.model_validate({"job_id": "j", **told}))),
    ):
        assert "was left out." in text
        assert "Not ranked" in text
        assert "image_auc is missing" in text
        assert "\x1b[2J" not in text
    assert "Not ranked" not in text_of(status="completed", ranked=True)
