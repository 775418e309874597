"""JOB-10: what is not yours is not there, whatever id is asked for and by whichever route."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

import gateway.routes.artifacts
import gateway.routes.jobs
import gateway.routes.logs
import gateway.routes.submissions
from tests.builders import job_id
from tests.sites import Site, bearer, fresh_id

pytestmark = pytest.mark.unit


@pytest.fixture
def client(site: Site) -> TestClient:
    return site.as_("ada")


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
    """JOB-10: the answer for somebody else's is the answer for nobody's, word for word; the owner's differs."""
    job_id = site.post_job()
    if state == "completed":
        site.complete()
    real = {"job_id": job_id, "submission_id": site.ports.job_status.get(job_id).submission_id}
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
        for user in ("root", "ada"):
            shown = site.as_(user).request(method, path.replace("{path:path}", "x.png").format(**real))
            assert shown.status_code != 404 or "x.png" in shown.json()["detail"]


PARTS = ["status", "logs", "logs/stream", "results", "cancel", "rerun"]


POSTED = {"cancel", "rerun"}


def ask(site: Site, user: str, found: str, part: str) -> Any:
    method = "POST" if part in POSTED else "GET"
    return site.as_(user).request(method, f"/jobs/{found}/{part}")


@pytest.mark.slow
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
