"""Watching, listing and cancelling jobs, and what a stranger sees of them."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.job import JobState, Outcome, Phase
from core.domain.verdict import FailureReason
from tests.builders import job_id
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit


PARTS = ["status", "logs", "logs/stream", "results", "cancel", "rerun"]
POSTED = {"cancel", "rerun"}


def ask(site: Site, user: str, found: str, part: str) -> Any:
    method = "POST" if part in POSTED else "GET"
    return site.as_(user).request(method, f"/jobs/{found}/{part}")


def without_ids(answer: Any, found: str) -> tuple[int, str]:
    """An answer less the job's and the request's id."""
    body = answer.json()
    return answer.status_code, answer.text.replace(body["request_id"], "").replace(found, "")


@pytest.mark.parametrize("part", PARTS)
def test_a_strangers_job_looks_like_none_at_all(site: Site, part: str) -> None:
    """JOB-10: to the letter the same 404; an admin gets an answer."""
    mine = site.run() if part in {"results", "logs/stream"} else site.post_job()
    answers = [ask(site, "bob", found, part) for found in (mine, job_id(77))]
    assert answers[0].status_code == 404
    assert without_ids(answers[0], mine) == without_ids(answers[1], job_id(77))
    assert ask(site, "root", mine, part).status_code in {200, 202}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("found", [job_id(77), "x", "..%2f..%2fetc", "a" * 64, "-", "*", "%20"])
def test_an_id_that_is_none_is_not_found(site: Site, part: str, found: str) -> None:
    """JOB-5: unknown, malformed and hostile ids alike; never a crash."""
    assert ask(site, "ada", found, part).status_code == 404


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("found", ["%00", "%ff", f"{job_id(77)}%0a", "%1b[31m", "%7f"])
def test_an_id_that_is_no_text_is_refused(site: Site, part: str, found: str) -> None:
    """Control characters and broken UTF-8 reach no ledger, no file and no log."""
    answer = ask(site, "ada", found, part)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["path"]


@pytest.mark.parametrize("part", PARTS)
def test_an_overlong_id_is_refused(site: Site, part: str) -> None:
    """Nothing longer than an id is looked up."""
    assert ask(site, "ada", "a" * 65, part).status_code == 422


def test_status_follows_a_job_to_its_end(site: Site) -> None:
    """JOB-5: phase, device, attempt, times, reason, peaks."""
    found = site.post_job()
    claim = site.claim()
    site.ports.job_status.note(claim, phase=Phase.RUNNING, device="cpu")
    running = ask(site, "ada", found, "status").json()
    assert (running["status"], running["phase"], running["device"]) == ("running", "running", "cpu")
    assert (running["attempt"], running["queue_position"], running["finished_at"]) == (1, None, None)
    assert running["started_at"]
    site.ports.job_status.finish(
        claim,
        Outcome(state=JobState.FAILED, reason=FailureReason.TIMEOUT, message="Too <b>late</b>.", peaks={"pids": 3.0}),
    )
    ended = ask(site, "ada", found, "status").json()
    assert (ended["status"], ended["phase"], ended["failure_reason"]) == ("failed", "done", "timeout")
    assert ended["error_message"] == "Too <b>late</b>."
    assert ended["peaks"] == {"pids": 3.0}
    assert ended["finished_at"]


def test_an_accepted_job_rings_for_its_class_once(site: Site) -> None:
    """The ring follows the answer; of a job that has ended nobody is told again."""
    site.post_job()
    assert site.ports.job_queue.rings == {"small": 1}
    ended = site.run()
    rings = dict(site.ports.job_queue.rings)
    assert site.as_("ada").post(f"/jobs/{ended}/cancel").status_code == 409
    assert site.ports.job_queue.rings == rings


def test_a_pending_job_is_cancelled_at_once(site: Site) -> None:
    """JOB-8: 202; again it is the same; no runner gets it."""
    found = site.post_job()
    for _time in range(2):
        answer = ask(site, "ada", found, "cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert site.ports.job_status.claim("small", worker="w", lease_seconds=9, running_limit=9) is None


def test_a_running_job_is_marked_for_its_runner(site: Site) -> None:
    """JOB-8: still running, with the wish on record."""
    found = site.post_job()
    site.claim()
    answer = ask(site, "ada", found, "cancel").json()
    assert (answer["status"], answer["cancel_requested"]) == ("running", True)


def test_an_ended_job_cannot_be_cancelled(site: Site) -> None:
    """R28: 409, and the state stays."""
    found = site.run()
    answer = ask(site, "ada", found, "cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert ask(site, "ada", found, "status").json()["status"] == "completed"


def test_a_list_is_paged_newest_first(site: Site) -> None:
    """JOB-8: the cursor leads through all of one's own jobs once."""
    submission = site.upload()
    posted = [site.post_job(submission_id=submission, n=number) for number in range(5)]
    site.post_job("bob")
    seen: list[str] = []
    cursor = ""
    for _page in range(5):
        page = site.as_("ada").get(f"/jobs?limit=2{cursor}").json()
        seen += [item["job_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == posted[::-1]


def test_an_admins_list_has_everybodys_jobs(site: Site) -> None:
    """JOB-8, and by state."""
    mine, theirs = site.post_job("ada"), site.post_job("bob")
    ask(site, "bob", theirs, "cancel")
    ids = [item["job_id"] for item in site.as_("root").get("/jobs").json()["items"]]
    assert ids == [theirs, mine]
    pending = site.as_("root").get("/jobs?status=pending").json()["items"]
    assert [(item["job_id"], item["queue_position"]) for item in pending] == [(mine, 1)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=" + "1" * 65, "cursor"),
        ("cursor=-1", "cursor"),
        ("cursor=nan", "cursor"),
        ("cursor=1e400", "cursor"),
        ("cursor=%00", "query"),
        ("cursor=%ff", "query"),
        ("benchmark=../synthetic", "benchmark"),
        ("cursor=(1", "cursor"),
    ],
)
def test_a_bad_list_query_names_its_field(site: Site, query: str, field: str) -> None:
    """422; a cursor that is none of ours is refused, not guessed at."""
    answer = site.as_("ada").get(f"/jobs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
