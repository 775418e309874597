"""Posting jobs over HTTP: idempotent, limited, refused with the field named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import job_id
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit


VIEW = {
    *("job_id", "submission_id", "user_id", "status", "phase", "benchmark", "resource_class", "attempt"),
    *("queue_position", "created_at", "started_at", "finished_at", "updated_at", "run_id", "failure_reason"),
    *("error_message", "device", "cancel_requested", "peaks", "rerun_of", "notice", "estimate"),
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
