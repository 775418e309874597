"""Results of jobs over HTTP (JOB-7): figures and links."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.job import JobState, Outcome
from core.domain.verdict import FailureReason
from tests.sites import Site

pytestmark = pytest.mark.unit


def ask(site: Site, user: str, found: str, part: str) -> Any:
    method = "POST" if part == "cancel" else "GET"
    return site.as_(user).request(method, f"/jobs/{found}/{part}")


def test_results_have_figures_and_links(site: Site) -> None:
    """JOB-7: public links with the right experiment."""
    found = site.run(metrics={"image_auc": 0.75})
    answer = ask(site, "ada", found, "results").json()
    assert answer["metrics"] == {"image_auc": 0.75}
    assert answer["params"] == {"method": "padim"}
    run = answer["run_id"]
    assert (
        answer["mlflow_ui_url"]
        == f"http://mlflow.example/#/experiments/synthetic/runs/{run}?workflowType=machine_learning"
    )
    assert answer["mlflow_api_url"] == f"http://mlflow.example/api/2.0/mlflow/runs/get?run_id={run}"
    assert answer["artifacts"] == []


def test_results_before_the_end_are_409(site: Site) -> None:
    """`not_finished` while it waits or runs."""
    found = site.post_job()
    for _state in ("pending", "running"):
        answer = ask(site, "ada", found, "results")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_finished")
        site.ports.job_status.claim("small", worker="w", lease_seconds=60, running_limit=9)


def test_results_of_a_job_without_run_are_empty(site: Site) -> None:
    """Failed before anything was recorded: no links, no figures, no error."""
    found = site.post_job()
    site.ports.job_status.finish(site.claim(), Outcome(state=JobState.FAILED, reason=FailureReason.EXIT))
    assert ask(site, "ada", found, "results").json() == {
        "job_id": found,
        **dict.fromkeys(("run_id", "experiment_id", "mlflow_ui_url", "mlflow_api_url")),
        "params": {},
        "metrics": {},
        "claims": {},
        "proof": None,
        "earlier": [],
        "artifacts": [],
        "artifacts_total": 0,
        "artifacts_available": False,
        "tracking": {"state": "unknown", "differences": []},
        "sha256": None,
        "sealed_from": None,
        "left_out": [],
        "notes": [],
        "ranked": None,
        "unranked_because": None,
        "would_be_ranked": None,
        "trial": False,
        "rerun": None,
    }


def test_results_and_status_say_what_does_not_count(site: Site) -> None:
    """FLD-3, FLD-4: the same sentences in both; nothing of them for a job that an older runner finished."""
    because = "image_auc 93.1 is out of 0..1 (percent? write 0.931)"
    for given, shown in (
        ({}, {"notes": [], "ranked": None, "unranked_because": None}),
        ({"ranked": True}, {"notes": [], "ranked": True, "unranked_because": None}),
        (
            {"notes": ("A note.",), "ranked": False, "unranked_because": because},
            {"notes": ["A note."], "ranked": False, "unranked_because": because},
        ),
    ):
        found = site.post_job()
        site.complete(metrics={"image_auc": 93.1}, **given)
        for part in ("status", "results"):
            answer = ask(site, "ada", found, part).json()
            assert {name: answer[name] for name in shown} == shown
