"""Trials on the pages: what the form asks for, and how a trial is told from a job."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from client.api.models import Job, JobPage, Results
from tests.unit.client.fake_platform import SUBMISSION
from tests.unit.client.fake_platform import job as job_answer
from tests.unit.ui.front import Front
from tests.unit.ui.served import Served
from ui.pages.job import is_submittable
from ui.pages.timeline import steps_of

pytestmark = pytest.mark.unit

VALUES: dict[str, Any] = {
    "metrics": [],
    "measured": [],
    "board": None,
    "standing": None,
    "pictures": [],
    "benchmark_name": "synthetic",
}


def trial(**changes: Any) -> Job:
    return Job.model_validate(job_answer(trial=True, **changes))


def shown(front: Front, job: Job) -> str:
    return front.templates.fill("job", job=job, steps=steps_of(job), is_admin=False)


@pytest.mark.parametrize("wish", [True, False])
def test_the_form_says_whether_it_is_a_trial(ui: Served, wish: bool) -> None:  # noqa: FBT001
    """The platform is asked for what the pressed button says, and the answer names it."""
    ui.platform.asked.clear()
    ui.platform.answers("GET", "/submissions/s1", SUBMISSION)
    ui.platform.answers("POST", "/jobs", httpx2.Response(202, json=job_answer(trial=wish)))
    html = ui.visitor().ask("POST", "/submissions/s1/jobs", json={"trial": wish}).json()["html"]
    posted = next(asked for asked in ui.platform.asked if asked.url.path == "/jobs")
    assert json.loads(posted.content).get("trial", False) is wish
    assert ("Queued as trial" in html, "Nothing is recorded" in html, "Queued as job" in html) == (wish, wish, not wish)


def test_the_form_has_both_buttons(front: Front) -> None:
    """Submit first: Enter in a field presses the first one."""
    html = front.templates.fill("submit", benchmarks=[], resources=[], default="", weights=())
    assert 0 < html.index('class="lb-send">Submit<') < html.index('value="trial"')


def test_the_page_of_a_trial_says_that_nothing_is_recorded(front: Front) -> None:
    """While it waits and afterwards; the page of a job says nothing of the kind."""
    assert "Trial: nothing is recorded" in shown(front, trial())
    ended = shown(front, trial(status="completed"))
    assert "Trial: nothing was recorded" in ended
    assert "is on no board" in ended
    assert "Recording" not in ended
    assert "try a corrected version" in shown(front, trial(status="failed", failure_reason="exit"))
    assert "rial" not in shown(front, Job.model_validate(job_answer()))


def test_the_results_say_what_would_be(front: Front) -> None:
    """Never that a trial is or is not ranked, which could be read as a place on the board."""
    fill = front.templates.fill
    good = fill("results", results=Results(job_id="j", trial=True, ranked=False, would_be_ranked=True), **VALUES)
    assert "This would be ranked on synthetic" in good
    assert "Not ranked" not in good
    because = Results(job_id="j", trial=True, ranked=False, would_be_ranked=False, unranked_because="<b>why</b>")
    bad = fill("results", results=because, **VALUES)
    assert "This would not be ranked on synthetic" in bad
    assert "&lt;b&gt;why" in bad


def test_a_trial_that_nobody_scores_says_what_it_left(front: Front) -> None:
    """SCO-2: nothing of a rank; and nothing good of a trial that failed."""
    files = [{"path": "predictions/scores.json", "size_bytes": 1}]
    told = {"job_id": "j", "trial": True, "ranked": None, "would_be_ranked": None}
    shown = front.templates.fill("results", results=Results.model_validate({**told, "artifacts": files}), **VALUES)
    assert "It ran, and left predictions" in shown
    assert "ould be ranked" not in shown
    assert "left predictions" not in front.templates.fill("results", results=Results.model_validate(told), **VALUES)


def test_verified_scores_are_told_apart_from_claims(front: Front) -> None:
    """DOR-3: the badge says where the numbers come from; what the submission wrote is said not to count."""
    earlier = [{"metrics": {"<u>auc": 0.5}}, {"metrics": {}}]
    told = {"job_id": "j", "claims": {"<b>auc": 1.0}, "proof": {"scorer": "<i>s"}, "earlier": earlier}
    shown = front.templates.fill("results", results=Results.model_validate(told), **VALUES)
    assert "computed these numbers itself with &lt;i&gt;s" in shown
    assert "It does not count." in shown
    assert "&lt;b&gt;auc" in shown
    assert "&lt;u&gt;auc" in shown
    assert "Before, they were not there." in shown


def test_trials_are_marked_in_the_list(front: Front) -> None:
    """Beside their state."""
    rows = JobPage(items=(trial(), Job.model_validate(job_answer())))
    assert front.templates.fill("jobs", page=rows, state="", is_admin=False).count(">trial<") == 1


def test_what_may_be_right_can_be_submitted() -> None:
    """A completed trial, and one that ran out of its minute; no failed one, and no job."""
    assert is_submittable(trial(status="completed"))
    assert is_submittable(trial(status="failed", failure_reason="timeout"))
    assert not is_submittable(trial(status="failed", failure_reason="exit"))
    assert not is_submittable(trial())
    assert not is_submittable(Job.model_validate(job_answer(status="completed")))
