"""Watching, listing and cancelling jobs over HTTP (JOB-5, JOB-8)."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.domain.job import JobState, Outcome, Phase
from core.domain.verdict import FailureReason
from tests.builders import write_benchmark
from tests.sites import Site, bearer

pytestmark = pytest.mark.unit


POSTED = {"cancel", "rerun"}


def ask(site: Site, user: str, found: str, part: str) -> Any:
    method = "POST" if part in POSTED else "GET"
    return site.as_(user).request(method, f"/jobs/{found}/{part}")


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
    ended = site.post_job()
    assert site.ports.job_queue.rings == {"small": 1}
    site.complete()
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


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.as_("ada")


def test_jobs_are_listed_by_state_and_benchmark(site: Site, client: TestClient) -> None:
    """JOB-8: newest first, in pages, with their places in the queue; an admin sees everybody's."""
    write_benchmark(site.root / "benchmarks", name="other")
    ids = [site.post_job(benchmark=name) for name in ("synthetic", "other", "other", "synthetic")]
    site.ports.job_status.finish(site.claim(), Outcome(state=JobState.CANCELLED))

    def listed(user: str = "ada", **filters: Any) -> list[str]:
        answer = client.get("/jobs", params=filters, headers=bearer(user)).json()
        return [item["job_id"] for item in answer["items"]]

    assert listed() == ids[::-1]
    assert listed(benchmark="other") == [ids[2], ids[1]]
    assert listed(status="cancelled") == [ids[0]]
    assert listed(status="pending", benchmark="synthetic") == [ids[3]]
    assert listed("bob") == []
    assert listed("root") == ids[::-1]
    page = client.get("/jobs", params={"limit": 3}).json()
    assert [item["queue_position"] for item in page["items"]] == [3, 2, 1]
    assert listed(cursor=page["next_cursor"]) == [ids[0]]
    for wrong in ({"benchmark": "a:state:pending"}, {"cursor": "x"}, {"status": "odd"}, {"limit": 0}):
        assert client.get("/jobs", params=wrong).status_code == 422


def test_a_page_of_jobs_asks_the_ledger_twice(site: Site, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """JOB-8: however many jobs wait, their places are one question."""
    for _ in range(4):
        site.post_job()
    asked: list[int] = []
    original = site.ports.job_status.positions
    monkeypatch.setattr(site.ports.job_status, "positions", lambda ids: asked.append(len(ids)) or original(ids))
    client.get("/jobs")
    assert asked == [4]
