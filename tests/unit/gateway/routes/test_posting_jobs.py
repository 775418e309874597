"""Posting jobs over HTTP (JOB-1 to JOB-4): idempotent, repeated on purpose, limited, refused with the field named."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.builders import job_id, write_benchmark
from tests.sites import Site, bearer

pytestmark = pytest.mark.unit


VIEW = {
    *("job_id", "submission_id", "user_id", "status", "phase", "benchmark", "resource_class", "attempt"),
    *("queue_position", "created_at", "started_at", "finished_at", "updated_at", "run_id", "failure_reason"),
    *("error_message", "device", "cancel_requested", "peaks", "rerun_of", "notice", "estimate"),
    *("notes", "ranked", "unranked_because", "trial", "would_be_ranked"),
}


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
    assert (found["peaks"], found["rerun_of"]) == (None, None)
    assert site.as_("ada").get(answer.headers["Location"]).json() | {"notice": None} == found
    assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == ("20", "19")
    assert 3500 < int(answer.headers["X-RateLimit-Reset"]) <= 3601


def test_posting_again_answers_the_same_job(site: Site) -> None:
    """JOB-2: same id, one entry, nothing more off the limit."""
    body = {"submission_id": site.upload(), "config": {"epochs": 3, "resource_class": "medium"}}
    first = site.as_("ada").post("/jobs", json=body)
    again = site.as_("ada").post("/jobs", json=body)
    assert (again.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
    assert again.headers["X-RateLimit-Remaining"] == "19"
    assert site.ports.job_status.pending("medium") == 1


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
        ('{"lr": "' + "x" * 17_000 + '"}', "config"),
        ('{"a": ' + "[" * 30 + "]" * 30 + "}", "config"),
        ("[]", "config"),
        ('"x"', "config"),
        ("null", "config"),
    ],
)
def test_a_bad_configuration_names_its_field(site: Site, config: str, field: str) -> None:
    """422 with the field and the rule; nothing is queued and nothing counted."""
    assert [fault["field"] for fault in faults_of(site, config)] == [field]


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ('{"benchmark": "synthetic\\u0000"}', "NUL"),
        ('{"\\u0000": 1}', "NUL"),
        ('{"lr": NaN}', "NaN"),
        ('{"lr": -Infinity}', "-Infinity"),
        ('{"lr": 1e999}', "range of a double"),
        ('{"seed": 9223372036854775808}', "64 bits"),
        ('{"name": "\\ud800"}', "half a character"),
        ('{"lr": 1, "lr": 2}', "'lr' twice"),
        ('{"a": ' + "[" * 700 + "]" * 700 + "}", "levels deep"),
    ],
)
def test_json_that_not_everybody_reads_alike_is_refused_whole(site: Site, config: str, word: str) -> None:
    """422 for the body with the rule in words; nothing is queued and nothing counted."""
    faults = faults_of(site, config)
    assert [fault["field"] for fault in faults] == ["body"]
    assert word in faults[0]["rule"]


def faults_of(site: Site, config: str) -> list[dict[str, str]]:
    """What is said of a job with this config, which must be refused and leave no trace."""
    submission = site.upload()
    body = f'{{"submission_id": "{submission}", "config": {config}}}'
    answer = site.as_("ada").post("/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert site.ports.job_status.pending("small") == 0
    following = site.as_("ada").post("/jobs", json={"submission_id": submission})
    assert following.headers["X-RateLimit-Remaining"] == "19"
    faults: list[dict[str, str]] = answer.json()["errors"]
    return faults


@pytest.mark.slow
@pytest.mark.parametrize("levels", [100, 400, 850, 900, 930, 950, 960, 970, 980, 990, 1000, 3000, 9000])
def test_no_depth_of_a_configuration_breaks_the_gateway(site: Site, levels: int) -> None:
    """Whichever parser gives up first, it is the sender's fault."""
    body = f'{{"submission_id": "{site.upload()}", "config": {{"a": {"[" * levels}{"]" * levels}}}}}'
    answer = site.as_("ada").post("/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("submission", [job_id(5), "", "x", "../../etc", "..", "\n", "a" * 64])
def test_a_job_of_no_submission_is_not_found(site: Site, submission: str) -> None:
    """No id becomes a path unchecked."""
    assert site.as_("ada").post("/jobs", json={"submission_id": submission}).status_code == 404


def test_a_submission_with_a_nul_in_its_id_is_refused(site: Site) -> None:
    """No system call sees a name that it would read only half of."""
    answer = site.as_("ada").post("/jobs", json={"submission_id": "\x00"})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["body"]


def test_a_strangers_submission_cannot_be_run(site: Site) -> None:
    """JOB-10: the same answer as for one that is not there."""
    mine = site.upload("ada")
    answers = [site.as_("bob").post("/jobs", json={"submission_id": each}) for each in (mine, job_id(5))]
    assert without_ids(answers[0], mine) == without_ids(answers[1], job_id(5))
    assert answers[0].status_code == 404


def test_the_limit_of_running_jobs_is_429(site: Site) -> None:
    """JOB-4: with one running the next is refused, with a time to come back."""
    submission = site.upload()
    site.post_job(submission_id=submission)
    site.claim()
    answer = site.as_("ada").post("/jobs", json={"submission_id": submission, "config": {"n": 1}})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.as_("ada")


def post(client: TestClient, submission_id: str, *, key: str = "", user: str = "ada", **config: Any) -> Any:
    headers = bearer(user) | ({"Idempotency-Key": key} if key else {})
    return client.post("/jobs", json={"submission_id": submission_id, "config": config}, headers=headers)


def test_a_refused_job_says_when_to_come_again(site: Site, client: TestClient) -> None:
    """JOB-4: 429 with Retry-After, the limit in words and the same headers; nothing is recorded; others go on."""
    submission = site.upload()
    for epochs in range(20):
        assert post(client, submission, epochs=epochs).status_code == 202
    refused = post(client, submission, epochs=20)
    assert refused.status_code == 429
    assert refused.json()["code"] == "limit_reached"
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Reset"] == refused.headers["Retry-After"]
    assert len(client.get("/jobs?limit=50").json()["items"]) == 20
    assert post(client, submission, epochs=3).status_code == 202
    site.post_job("bob")


def test_the_same_again_is_the_same_job(site: Site, client: TestClient) -> None:
    """JOB-2: by what is asked, or by the key; another request under a key is a conflict."""
    submission = site.upload()
    first = post(client, submission, epochs=1).json()["job_id"]
    assert post(client, submission, epochs=1, resource_class="small", benchmark="synthetic").json()["job_id"] == first
    keyed = post(client, submission, key="k", epochs=1)
    assert keyed.json()["job_id"] != first
    assert post(client, submission, key="k", epochs=1).json() == keyed.json()
    conflict = post(client, submission, key="k", epochs=2)
    assert (conflict.status_code, conflict.json()["code"]) == (409, "idempotency_key_reused")
    others = client.post("/submissions", files={"files": ("main.py", b"x")}, headers=bearer("bob")).json()
    assert post(client, others["submission_id"], key="k", user="bob").status_code == 202
    assert len(client.get("/jobs?limit=50").json()["items"]) == 2


def test_a_rerun_is_another_job_of_the_same(site: Site, client: TestClient) -> None:
    """JOB-2: same submission and config, linked, counted; a key makes repeating it safe."""
    write_benchmark(site.root / "benchmarks", name="other")
    first = post(client, site.upload(), epochs=3, benchmark="other").json()
    answers = [client.post(f"/jobs/{first['job_id']}/rerun") for _ in range(2)]
    again = answers[0].json()
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({first["job_id"], *(answer.json()["job_id"] for answer in answers)}) == 3
    assert again["rerun_of"] == first["job_id"]
    assert (again["submission_id"], again["benchmark"]) == (first["submission_id"], "other")
    assert site.ports.job_status.get(again["job_id"]).overrides == {"epochs": 3}
    assert answers[1].headers["X-RateLimit-Remaining"] == "17"
    assert client.get(answers[1].headers["Location"]).status_code == 200
    key = {"Idempotency-Key": "k"}
    keyed = [client.post(f"/jobs/{first['job_id']}/rerun", headers=key).json()["job_id"] for _ in range(2)]
    assert len(set(keyed)) == 1
    assert client.post(f"/jobs/{again['job_id']}/rerun", headers=key).status_code == 409


def test_an_admins_rerun_is_the_admins(site: Site, client: TestClient) -> None:
    """AUT-4: who asks for a job is whose limit it counts for and whose entry it becomes."""
    job_id = site.post_job()
    assert client.post(f"/jobs/{job_id}/rerun", headers=bearer("root")).json()["user_id"] == "root"
