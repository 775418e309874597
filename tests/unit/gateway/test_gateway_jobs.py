"""Jobs over HTTP: posting, watching, cancelling, and what a stranger sees of them."""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.job import JobState, Outcome, Phase
from core.domain.verdict import FailureReason
from tests.builders import job_id
from tests.unit.gateway.site import Site

pytestmark = pytest.mark.unit

VIEW = {
    *("job_id", "submission_id", "user_id", "status", "phase", "benchmark", "resource_class", "attempt"),
    *("queue_position", "created_at", "started_at", "finished_at", "updated_at", "run_id", "failure_reason"),
    *("error_message", "device", "cancel_requested", "peaks"),
}
PARTS = ["status", "logs", "results", "cancel"]


def ask(site: Site, user: str, found: str, part: str) -> Any:
    method = "POST" if part == "cancel" else "GET"
    return site.as_(user).request(method, f"/jobs/{found}/{part}")


def without_ids(answer: Any, found: str) -> tuple[int, str]:
    """An answer less the job's and the request's id."""
    body = answer.json()
    return answer.status_code, answer.text.replace(body["request_id"], "").replace(found, "")


def test_posting_answers_the_pending_job(site: Site) -> None:
    """JOB-1: 202 with the whole view, and what is left of the hour."""
    submission = site.upload()
    answer = site.as_("ada").post("/jobs", json={"submission_id": submission})
    found = answer.json()
    assert answer.status_code == 202
    assert set(found) == VIEW
    assert (found["status"], found["phase"], found["attempt"], found["queue_position"]) == ("pending", "queued", 0, 1)
    assert (found["user_id"], found["submission_id"], found["resource_class"]) == ("ada", submission, "small")
    assert found["created_at"].endswith(("Z", "+00:00"))
    assert found["peaks"] is None
    assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == ("20", "19")


def test_posting_again_answers_the_same_job(site: Site) -> None:
    """JOB-2: same id, one entry, nothing more off the limit."""
    body = {"submission_id": site.upload(), "config": {"epochs": 3, "resource_class": "medium"}}
    first = site.as_("ada").post("/jobs", json=body)
    again = site.as_("ada").post("/jobs", json=body)
    assert (again.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
    assert again.headers["X-RateLimit-Remaining"] == "19"
    assert site.ports.job_status.pending("medium") == 1


def test_a_key_makes_a_deliberate_second_job(site: Site) -> None:
    """JOB-2: another Idempotency-Key is another job; the same key again is the same."""
    submission = site.upload()
    ids = [
        site.as_("ada").post("/jobs", json={"submission_id": submission}, headers=headers).json()["job_id"]
        for headers in ({}, {"Idempotency-Key": "k1"}, {"Idempotency-Key": "k1"}, {"Idempotency-Key": "k2"})
    ]
    assert ids[1] == ids[2]
    assert len(set(ids)) == 3


def test_an_overlong_key_is_refused(site: Site) -> None:
    """200 characters are a key."""
    answer = site.as_("ada").post("/jobs", json={"submission_id": "x"}, headers={"Idempotency-Key": "k" * 201})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "idempotency-key"


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ('{"resource_class": "huge"}', "config.resource_class"),
        ('{"resource_class": 1}', "config.resource_class"),
        ('{"benchmark": "none"}', "config.benchmark"),
        ('{"benchmark": "../synthetic"}', "config.benchmark"),
        ('{"benchmark": "synthetic\\u0000"}', "config.benchmark"),
        ('{"lr": NaN}', "config"),
        ('{"lr": -Infinity}', "config"),
        ('{"lr": 1e999}', "config"),
        ('{"lr": "' + "x" * 17_000 + '"}', "config"),
        ('{"a": ' + "[" * 30 + "]" * 30 + "}", "config"),
        ('{"a": ' + "[" * 700 + "]" * 700 + "}", "config"),
        ("[]", "config"),
        ('"x"', "config"),
        ("null", "config"),
    ],
)
def test_a_bad_configuration_names_its_field(site: Site, config: str, field: str) -> None:
    """422 with the field and the rule; nothing is queued and nothing counted."""
    body = f'{{"submission_id": "{site.upload()}", "config": {config}}}'
    answer = site.as_("ada").post("/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]
    assert site.ports.job_status.pending("small") == 0


@pytest.mark.parametrize("levels", [100, 400, 850, 900, 930, 950, 960, 970, 980, 990, 1000, 3000, 9000])
def test_no_depth_of_a_configuration_breaks_the_gateway(site: Site, levels: int) -> None:
    """Whichever parser gives up first, it is the sender's fault."""
    body = f'{{"submission_id": "{site.upload()}", "config": {{"a": {"[" * levels}{"]" * levels}}}}}'
    answer = site.as_("ada").post("/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("submission", [job_id(5), "", "x", "../../etc", "\x00", "a" * 64])
def test_a_job_of_no_submission_is_not_found(site: Site, submission: str) -> None:
    """No id becomes a path unchecked."""
    assert site.as_("ada").post("/jobs", json={"submission_id": submission}).status_code == 404


def test_a_strangers_submission_cannot_be_run(site: Site) -> None:
    """JOB-10: the same answer as for one that is not there."""
    mine = site.upload("ada")
    answers = [site.as_("bob").post("/jobs", json={"submission_id": each}) for each in (mine, job_id(5))]
    assert without_ids(answers[0], mine) == without_ids(answers[1], job_id(5))
    assert answers[0].status_code == 404


def test_the_hourly_limit_is_429_with_a_time(site: Site) -> None:
    """JOB-4: the 21st of 20 is refused with Retry-After; another user is not affected."""
    submission = site.upload()
    for number in range(20):
        site.post_job(submission_id=submission, n=number)
    answer = site.as_("ada").post("/jobs", json={"submission_id": submission, "config": {"n": 20}})
    assert (answer.status_code, answer.json()["code"]) == (429, "limit_reached")
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    site.post_job("bob")


def test_the_limit_of_running_jobs_is_429(site: Site) -> None:
    """JOB-4: with one running the next is refused, with a time to come back."""
    submission = site.upload()
    site.post_job(submission_id=submission)
    site.claim()
    answer = site.as_("ada").post("/jobs", json={"submission_id": submission, "config": {"n": 1}})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("part", PARTS)
def test_a_strangers_job_looks_like_none_at_all(site: Site, part: str) -> None:
    """JOB-10: to the letter the same 404; an admin gets an answer."""
    mine = site.run() if part == "results" else site.post_job()
    answers = [ask(site, "bob", found, part) for found in (mine, job_id(77))]
    assert answers[0].status_code == 404
    assert without_ids(answers[0], mine) == without_ids(answers[1], job_id(77))
    assert ask(site, "root", mine, part).status_code in {200, 202}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("found", [job_id(77), "x", "%00", "..%2f..%2fetc", "%ff", "a" * 64, "-", "*", "%20"])
def test_an_id_that_is_none_is_not_found(site: Site, part: str, found: str) -> None:
    """JOB-5: unknown, malformed and hostile ids alike; never a crash."""
    assert ask(site, "ada", found, part).status_code == 404


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
    assert answer["mlflow_ui_url"] == f"http://mlflow.example/#/experiments/synthetic/runs/{run}"
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
    }


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
        ("cursor=%00", "cursor"),
        ("cursor=(1", "cursor"),
    ],
)
def test_a_bad_list_query_names_its_field(site: Site, query: str, field: str) -> None:
    """422; a cursor that is none of ours is refused, not guessed at."""
    answer = site.as_("ada").get(f"/jobs?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
