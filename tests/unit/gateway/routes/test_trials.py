"""Trials over HTTP: posted, limited, shown as what they are, on no board, with their files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from core.adapters.files.trial_files import FOLDER
from core.domain.job import JobState, Outcome
from core.domain.metrics import RunMetrics
from core.domain.sealed_result import SealedFile
from core.ports.tracking import Result, RunRef
from tests.sites import Site

pytestmark = pytest.mark.unit


def tried(site: Site, user: str = "ada", submission_id: str | None = None, **config: Any) -> dict[str, Any]:
    """The answer to a trial that was accepted."""
    body = {"submission_id": submission_id or site.upload(user), "config": config, "trial": True}
    answer = site.as_(user).post("/jobs", json=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def end(site: Site, tmp_path: Path, **told: Any) -> str:
    """End the next trial as a runner does, with one file."""
    claim = site.claim()
    source = tmp_path / "out"
    (source / "curves").mkdir(parents=True, exist_ok=True)
    (source / "curves" / "roc.png").write_bytes(b"png")
    site.ports.trial_files.keep(claim.job_id, source, ["curves/roc.png"])
    result = Result(
        job=claim.job,
        metrics=RunMetrics(params={"method": "padim"}, metrics={"image_auc": 0.9}, performance={}),
        measured={},
        files=[SealedFile(path="curves/roc.png", size_bytes=3)],
    )
    outcome = Outcome(state=JobState.COMPLETED, **({"ranked": True} | told))
    site.ports.job_status.finish(claim, outcome, result.sealed_as(RunRef(run_id="", experiment_id="")))
    return claim.job_id


def test_a_trial_is_a_job_of_its_own_kind(site: Site) -> None:
    """The same files and config: a trial, then a job, each known again."""
    submission_id = site.upload()
    trial = tried(site, submission_id=submission_id)
    assert (trial["trial"], trial["status"], trial["ranked"], trial["would_be_ranked"]) == (True, "pending", None, None)
    assert tried(site, submission_id=submission_id)["job_id"] == trial["job_id"]
    assert site.post_job(submission_id=submission_id) != trial["job_id"]


def test_a_second_trial_waits_for_the_first_and_says_so(site: Site) -> None:
    """429 with a sentence; the job of the same user is accepted, and told what is left of its own hour."""
    tried(site)
    answer = site.as_("ada").post("/jobs", json={"submission_id": site.upload(), "trial": True})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    job = site.as_("ada").post("/jobs", json={"submission_id": site.upload()})
    assert (job.status_code, job.headers["X-RateLimit-Remaining"]) == (202, "19")
    tried(site, "bob")


def test_a_completed_trial_says_what_would_be_ranked(site: Site, tmp_path: Path) -> None:
    """Status and results: never ranked, with the judgement beside it, figures and files, and no link to MLflow."""
    trial = tried(site)["job_id"]
    end(site, tmp_path, notes=("a note",))
    status = site.as_("ada").get(f"/jobs/{trial}/status").json()
    results = site.as_("ada").get(f"/jobs/{trial}/results").json()
    for found in (status, results):
        assert (found["trial"], found["ranked"], found["would_be_ranked"]) == (True, False, True)
        assert (found["notes"], found["run_id"], found["unranked_because"]) == (["a note"], None, None)
    assert (results["metrics"], results["mlflow_ui_url"], results["sha256"]) == ({"image_auc": 0.9}, None, None)
    assert (results["artifacts_available"], results["tracking"]["state"]) == (True, "unknown")
    assert [file["path"] for file in results["artifacts"]] == ["curves/roc.png"]


def test_why_a_trial_would_not_be_ranked(site: Site, tmp_path: Path) -> None:
    """The benchmark's reason, in words."""
    trial = tried(site)["job_id"]
    end(site, tmp_path, ranked=False, unranked_because="image_auc is missing")
    found = site.as_("ada").get(f"/jobs/{trial}/results").json()
    assert (found["would_be_ranked"], found["unranked_because"]) == (False, "image_auc is missing")


def test_no_board_shows_a_trial(site: Site, tmp_path: Path) -> None:
    """Neither as an entry nor in any list of the benchmark; MLflow has no run of it."""
    job = site.run(metrics={"image_auc": 0.4})
    trial = tried(site)["job_id"]
    end(site, tmp_path)
    for entries in ("best", "all"):
        board = site.as_("ada").get("/leaderboard", params={"entries": entries}).json()
        assert [row["job_id"] for row in board["items"]] == [job]
    listed = site.as_("ada").get("/jobs", params={"benchmark": "synthetic"}).json()["items"]
    assert [one["job_id"] for one in listed] == [job]
    both = site.as_("ada").get("/jobs").json()["items"]
    assert [(one["job_id"], one["trial"]) for one in both] == [(trial, True), (job, False)]
    assert len(site.ports.tracking.results) == 1


def test_the_files_of_a_trial_are_its_owners_for_a_day(site: Site, tmp_path: Path) -> None:
    """Another user finds nothing, no path leads out of the folder, and files that went are said to be gone."""
    trial = tried(site)["job_id"]
    end(site, tmp_path)
    path = f"/jobs/{trial}/artifacts/curves/roc.png"
    answer = site.as_("ada").get(path)
    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"png", "image/png")
    assert site.as_("bob").get(path).status_code == 404
    assert site.as_("root").get(path).status_code == 200
    for odd in ("curves", "curves/roc.png/x", "nothing", "%2e%2e/x"):
        assert site.as_("ada").get(f"/jobs/{trial}/artifacts/{odd}").status_code in {404, 422}
    shutil.rmtree(site.root / "logs" / FOLDER / trial)
    assert site.as_("ada").get(path).status_code == 404
    listed = site.as_("ada").get(f"/jobs/{trial}/artifacts").json()
    assert (listed["available"], listed["total"]) == (False, 1)


def test_a_rerun_of_a_trial_is_a_trial(site: Site, tmp_path: Path) -> None:
    """Once more the same; it never becomes an entry of the board by itself."""
    trial = tried(site)["job_id"]
    end(site, tmp_path)
    again = site.as_("ada").post(f"/jobs/{trial}/rerun").json()
    assert (again["trial"], again["rerun_of"]) == (True, trial)


def test_what_was_tried_is_submitted_as_it_was(site: Site, tmp_path: Path) -> None:
    """The same files and overrides as a job that counts; with a key once, however often it is asked for."""
    trial = tried(site, epochs=3)["job_id"]
    end(site, tmp_path)
    asked = {"params": {"as_job": True}, "headers": {"Idempotency-Key": "k"}}
    answers = [site.as_("ada").post(f"/jobs/{trial}/rerun", **asked) for _time in range(2)]
    found = answers[0].json()
    assert (found["trial"], found["rerun_of"], found["job_id"]) == (False, trial, answers[1].json()["job_id"])
    assert site.claim().job.overrides == {"epochs": 3}
    assert answers[0].headers["X-RateLimit-Remaining"] == "19"


def test_nothing_of_a_trial_is_written_back_to_mlflow(site: Site, tmp_path: Path) -> None:
    """409, in words; the sealing of old results has nothing to do with it either."""
    trial = tried(site)["job_id"]
    end(site, tmp_path)
    answer = site.as_("root").post(f"/admin/results/{trial}/restore")
    assert answer.status_code == 409
    assert "This was a trial" in answer.json()["detail"]
    assert site.ports.results.unsealed() == []


def test_a_failed_trial_has_empty_results(site: Site) -> None:
    """As a failed job."""
    trial = tried(site)["job_id"]
    site.ports.job_status.finish(site.claim(), Outcome(state=JobState.FAILED))
    found = site.as_("ada").get(f"/jobs/{trial}/results").json()
    assert (found["trial"], found["metrics"], found["ranked"], found["would_be_ranked"]) == (True, {}, None, None)


@pytest.mark.parametrize("trial", ["maybe", 7, None, [True]])
def test_only_true_and_false_say_whether_it_is_a_trial(site: Site, trial: object) -> None:
    """422, with the field."""
    answer = site.as_("ada").post("/jobs", json={"submission_id": site.upload(), "trial": trial})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "trial")
