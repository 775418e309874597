"""Logs and results over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.job import JobState, Outcome
from core.domain.verdict import FailureReason
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit


def ask(site: Site, user: str, found: str, part: str) -> Any:
    method = "POST" if part == "cancel" else "GET"
    return site.as_(user).request(method, f"/jobs/{found}/{part}")


def test_a_log_is_empty_until_it_is_there(site: Site) -> None:
    """JOB-6: never 404 or 500 for a log that has not begun."""
    found = site.post_job()
    for query in ("", "?tail=5", "?offset=0", "?offset=500"):
        answer = site.as_("ada").get(f"/jobs/{found}/logs{query}")
        assert (answer.status_code, answer.json()["logs"]) == (200, "")


def test_a_log_is_followed_by_its_offset(site: Site) -> None:
    """JOB-6: the last lines first, then only what came since."""
    found = site.post_job()
    path = site.root / "logs" / f"{found}.log"
    path.write_bytes(b"".join(b"%d\n" % number for number in range(1500)))
    first = site.as_("ada").get(f"/jobs/{found}/logs").json()
    assert first["logs"].splitlines() == [str(number) for number in range(500, 1500)]
    assert first["job_id"] == found
    assert site.as_("ada").get(f"/jobs/{found}/logs?tail=2").json()["logs"] == "1498\n1499\n"
    with path.open("ab") as log:
        log.write(b"new\n")
    second = site.as_("ada").get(f"/jobs/{found}/logs?offset={first['next_offset']}").json()
    assert second["logs"] == "new\n"
    assert site.as_("ada").get(f"/jobs/{found}/logs?offset={second['next_offset']}").json()["logs"] == ""


def test_a_hostile_log_is_only_text(site: Site) -> None:
    """H70-H72: escapes, markup, NUL and bad UTF-8 arrive as JSON text and are typed as such."""
    found = site.post_job()
    (site.root / "logs" / f"{found}.log").write_bytes(b"\x1b]0;x\x07<script>\x00\xff\xc3\r\r\xe2\x80\xae\n")
    answer = site.as_("ada").get(f"/jobs/{found}/logs")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["logs"] == "\x1b]0;x\x07<script>\x00\ufffd\ufffd\r\r\u202e\n"
    assert ask(site, "ada", found, "status").json()["status"] == "pending"


@pytest.mark.parametrize(
    "query", ["tail=0", "tail=1001", "tail=x", "offset=-1", "offset=1e3", "offset=99999999999999999999"]
)
def test_a_bad_log_query_is_refused(site: Site, query: str) -> None:
    """The bounds of lines and offsets."""
    answer = site.as_("ada").get(f"/jobs/{site.post_job()}/logs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.split("=", maxsplit=1)[0]


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
        "artifacts": [],
        "artifacts_available": False,
        "tracking": {"state": "unknown", "differences": []},
        "sha256": None,
        "sealed_from": None,
        "left_out": [],
    }
