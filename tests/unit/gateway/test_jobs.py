"""Jobs over HTTP: posted once or on purpose twice, limited, listed, and nobody else's (JOB-1 to JOB-8, JOB-10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

import gateway.routes.artifacts
import gateway.routes.jobs
import gateway.routes.logs
import gateway.routes.submissions
from core.domain.job import JobState, Outcome
from tests.unit.gateway.whole_site import Site, bearer, fresh_id, site

pytestmark = pytest.mark.unit
__all__ = ["site"]


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with site.browser() as opened:
        yield opened


def post(client: TestClient, submission_id: str, *, key: str = "", user: str = "ann", **config: Any) -> Any:
    headers = bearer(user) | ({"Idempotency-Key": key} if key else {})
    return client.post("/jobs", json={"submission_id": submission_id, "config": config}, headers=headers)


def test_a_posted_job_says_where_it_is_and_what_is_left(site: Site, client: TestClient) -> None:
    """JOB-1, JOB-4: 202 with a Location that opens and the hourly amounts."""
    answer = post(client, site.submitted(client))
    assert answer.status_code == 202
    assert client.get(answer.headers["Location"]).json() | {"notice": None} == answer.json()
    assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == ("10", "9")
    assert 3500 < int(answer.headers["X-RateLimit-Reset"]) <= 3601
    assert answer.json()["queue_position"] == 1


def test_a_refused_job_says_when_to_come_again(site: Site, client: TestClient) -> None:
    """JOB-4: 429 with Retry-After, the limit in words and the same headers; then nothing was recorded."""
    submission = site.submitted(client)
    for epochs in range(10):
        assert post(client, submission, epochs=epochs).status_code == 202
    refused = post(client, submission, epochs=10)
    assert refused.status_code == 429
    assert refused.json()["code"] == "limit_reached"
    assert 3500 < int(refused.headers["Retry-After"]) <= 3601
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Reset"] == refused.headers["Retry-After"]
    assert len(client.get("/jobs").json()["items"]) == 10
    assert post(client, submission, epochs=3).status_code == 202


def test_the_same_again_is_the_same_job(site: Site, client: TestClient) -> None:
    """JOB-2: by what is asked, or by the key; another request under a key is a conflict."""
    submission = site.submitted(client)
    first = post(client, submission, epochs=1).json()["job_id"]
    assert post(client, submission, epochs=1, resource_class="small", benchmark="synthetic").json()["job_id"] == first
    keyed = post(client, submission, key="k", epochs=1)
    assert keyed.json()["job_id"] != first
    assert post(client, submission, key="k", epochs=1).json() == keyed.json()
    conflict = post(client, submission, key="k", epochs=2)
    assert (conflict.status_code, conflict.json()["code"]) == (409, "idempotency_key_reused")
    others = client.post("/submissions", files={"files": ("main.py", b"x")}, headers=bearer("bob")).json()
    assert post(client, others["submission_id"], key="k", user="bob").status_code == 202
    assert len(client.get("/jobs").json()["items"]) == 2


def test_a_rerun_is_another_job_of_the_same(site: Site, client: TestClient) -> None:
    """JOB-2: same submission and config, linked, counted; a key makes repeating it safe."""
    first = post(client, site.submitted(client), epochs=3, benchmark="other").json()
    answers = [client.post(f"/jobs/{first['job_id']}/rerun") for _ in range(2)]
    again = answers[0].json()
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({first["job_id"], *(answer.json()["job_id"] for answer in answers)}) == 3
    assert again["rerun_of"] == first["job_id"]
    assert (again["submission_id"], again["benchmark"]) == (first["submission_id"], "other")
    assert site.jobs.get(again["job_id"]).overrides == {"epochs": 3}
    assert answers[1].headers["X-RateLimit-Remaining"] == "7"
    assert client.get(answers[1].headers["Location"]).status_code == 200
    key = {"Idempotency-Key": "k"}
    keyed = [client.post(f"/jobs/{first['job_id']}/rerun", headers=key).json()["job_id"] for _ in range(2)]
    assert len(set(keyed)) == 1
    assert client.post(f"/jobs/{again['job_id']}/rerun", headers=key).status_code == 409


def test_an_admins_rerun_is_the_admins(site: Site, client: TestClient) -> None:
    """AUT-4: who asks for a job is whose limit it counts for and whose entry it becomes."""
    job_id = site.posted(client)
    assert client.post(f"/jobs/{job_id}/rerun", headers=bearer("root")).json()["user_id"] == "root"


def test_jobs_are_listed_by_state_and_benchmark(site: Site, client: TestClient) -> None:
    """JOB-8: newest first, in pages, with their places in the queue; an admin sees everybody's."""
    ids = [site.posted(client, benchmark=name) for name in ("synthetic", "other", "other", "synthetic")]
    site.jobs.finish(site.claimed(), Outcome(state=JobState.CANCELLED))

    def listed(user: str = "ann", **filters: Any) -> list[str]:
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
        site.posted(client)
    asked: list[int] = []
    original = site.jobs.positions
    monkeypatch.setattr(site.jobs, "positions", lambda ids: asked.append(len(ids)) or original(ids))
    client.get("/jobs")
    assert asked == [4]


def test_logs_are_text_from_the_beginning(site: Site, client: TestClient) -> None:
    """JOB-6: empty and never an error before the job has printed, then the tail, then what came after a byte."""
    job_id = site.posted(client)
    empty = {"job_id": job_id, "logs": "", "platform": [], "next_offset": 0}
    assert client.get(f"/jobs/{job_id}/logs").json() == empty
    assert client.get(f"/jobs/{job_id}/logs", params={"offset": 0}).json() == empty
    site.log_file(job_id).write_bytes("".join(f"é {number}\n" for number in range(1200)).encode() + b"\xff\0<b>")
    found = client.get(f"/jobs/{job_id}/logs").json()
    assert found["logs"].splitlines()[0] == "é 201"
    assert found["logs"].endswith("\N{REPLACEMENT CHARACTER}\0<b>")
    assert client.get(f"/jobs/{job_id}/logs", params={"tail": 2}).json()["logs"].startswith("é 1199\n")
    after = client.get(f"/jobs/{job_id}/logs", params={"offset": found["next_offset"] - 3}).json()
    assert (after["logs"], after["next_offset"]) == ("<b>", found["next_offset"])


def protected_routes() -> list[tuple[str, str]]:
    """Every call that names a job or a submission in its address."""
    rooms = (gateway.routes.jobs, gateway.routes.logs, gateway.routes.artifacts, gateway.routes.submissions)
    routes = [route for room in rooms for route in room.router.routes if isinstance(route, APIRoute)]
    return [(method, route.path) for route in routes for method in route.methods if "_id}" in route.path]


def test_every_such_route_is_known() -> None:
    """The next test looks at no fewer than these."""
    assert len(protected_routes()) >= 10


@pytest.mark.parametrize(("method", "path"), protected_routes())
@pytest.mark.parametrize("state", ["pending", "completed"])
def test_what_is_not_yours_is_not_there(site: Site, client: TestClient, method: str, path: str, state: str) -> None:
    """JOB-10: the answer for somebody else's is the answer for nobody's, word for word; the owner gets another."""
    job_id = site.posted(client)
    if state == "completed":
        site.completed()
    real = {"job_id": job_id, "submission_id": site.jobs.get(job_id).submission_id}
    told = []
    for ids in (real, dict.fromkeys(real, fresh_id())):
        answer = client.request(method, path.replace("{path:path}", "x.png").format(**ids), headers=bearer("bob"))
        assert answer.status_code == 404
        said = answer.json()
        said.pop("request_id")
        told.append(
            {
                key: str(value).replace(ids["job_id"], "*").replace(ids["submission_id"], "*")
                for key, value in said.items()
            }
        )
    assert told[0] == told[1]
    if "stream" not in path or state == "completed":
        mine = client.request(method, path.replace("{path:path}", "x.png").format(**real))
        assert mine.status_code != 404 or "x.png" in mine.json()["detail"]


@pytest.mark.parametrize("body", [{"submission_id": fresh_id()}, {"submission_id": "../.."}])
def test_nobodys_submission_cannot_be_run(client: TestClient, body: dict[str, str]) -> None:
    """JOB-10: neither one that is not there nor one of others; the same 404."""
    assert client.post("/jobs", json=body).status_code == 404


def test_others_submissions_cannot_be_run(site: Site, client: TestClient) -> None:
    """JOB-10: code is run by its owner."""
    assert post(client, site.submitted(client), user="bob").status_code == 404
