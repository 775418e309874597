"""AUT-1, AUT-3: every route but the open ones needs a token; an admin's route needs an admin's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.builders import job_id
from tests.sites import Site

pytestmark = pytest.mark.unit


ADMINS = [
    ("GET", "/users"),
    ("POST", "/users"),
    ("DELETE", "/users/{name}"),
    ("GET", "/metrics"),
    ("GET", "/admin/overview"),
    ("GET", "/admin/runners"),
    ("GET", "/admin/runners/{runner}"),
    ("POST", "/admin/runners/{runner}/pause"),
    ("POST", "/admin/runners/{runner}/drain"),
    ("POST", "/admin/runners/{runner}/resume"),
    ("POST", "/admin/runners/{runner}/canary"),
    ("GET", "/admin/dead-letters"),
    ("POST", "/admin/dead-letters/{letter_id}/retry"),
    ("DELETE", "/admin/dead-letters/{letter_id}"),
    ("GET", "/admin/retention"),
    ("POST", "/admin/retention"),
    ("GET", "/admin/audit"),
    ("GET", "/benchmarks/check"),
    ("POST", "/admin/results/{job_id}/restore"),
    ("POST", "/admin/entries/{job_id}/disqualify"),
    ("POST", "/admin/entries/{job_id}/restore"),
    ("POST", "/admin/entries/{job_id}/baseline"),
    ("DELETE", "/admin/entries/{job_id}/baseline"),
    ("POST", "/admin/results/{job_id}/rescore"),
    ("GET", "/admin/pins"),
    ("POST", "/admin/jobs/{job_id}/pin"),
    ("DELETE", "/admin/jobs/{job_id}/pin"),
]


DOORS = [
    *ADMINS,
    ("GET", "/auth/me"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/password"),
    ("POST", "/submissions"),
    ("GET", "/submissions"),
    ("GET", "/submissions/{submission_id}"),
    ("GET", "/submissions/{submission_id}/archive"),
    ("GET", "/jobs/{job_id}/artifacts"),
    ("GET", "/jobs/{job_id}/artifacts/{path:path}"),
    ("POST", "/jobs"),
    ("GET", "/jobs"),
    ("POST", "/jobs/{job_id}/rerun"),
    ("GET", "/jobs/{job_id}/status"),
    ("POST", "/jobs/{job_id}/cancel"),
    ("GET", "/jobs/{job_id}/logs"),
    ("GET", "/jobs/{job_id}/logs/stream"),
    ("GET", "/jobs/{job_id}/results"),
    ("GET", "/jobs/{job_id}/entry"),
    ("PATCH", "/jobs/{job_id}/entry"),
    ("GET", "/jobs/{job_id}/provenance"),
    ("GET", "/leaderboard"),
    ("GET", "/leaderboard/export"),
    ("GET", "/leaderboard/history"),
    ("GET", "/benchmarks"),
    ("GET", "/weights"),
    ("GET", "/resource-classes"),
    ("GET", "/mlflow/{path:path}"),
    ("POST", "/mlflow/{path:path}"),
    ("PUT", "/mlflow/{path:path}"),
    ("PATCH", "/mlflow/{path:path}"),
    ("DELETE", "/mlflow/{path:path}"),
]


OPEN = {
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("POST", "/auth/login"),
    ("GET", "/docs"),
    ("GET", "/docs/swagger-ui-bundle.js"),
    ("GET", "/docs/swagger-ui.css"),
    ("GET", "/openapi.json"),
    ("HEAD", "/openapi.json"),
}


WRONG = [
    None,
    "",
    "Bearer",
    "Bearer ",
    "Bearer wrong-token-0123456789",
    "Basic YWRhOnRva2Vu",
    "token-of-ada-0123456789",
    "Bearer token-of-ada-012345678",
    "Bearer token-of-ada-01234567890",
    "Bearer TOKEN-OF-ADA-0123456789",
    "Bearer ada:token-of-ada-0123456789",
    "Bearer \xff\xfe",
    "Bearer " + "x" * 5000,
]


@pytest.fixture(scope="module")
def closed_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site without a single token."""
    with closing(Site(tmp_path_factory.mktemp("closed"), api_tokens="")) as found:
        yield found


def test_the_list_of_doors_is_complete(site: Site) -> None:
    """A new endpoint that is not on this list fails here until somebody decides whether it is open."""
    served = set()
    for route in (context.original_route for context in iter_route_contexts(site.app.routes)):
        assert isinstance(route, Route), "a mount or a socket has doors of its own"
        served |= {(method, route.path) for method in route.methods or ()}
    assert served == {*DOORS, *OPEN}
    assert len(served) == len(DOORS) + len(OPEN)


def _filled(path: str) -> str:
    values = {
        "job_id": job_id(1),
        "submission_id": "5" * 32,
        "name": "ada",
        "runner": "box:1",
        "letter_id": "5" * 32,
        "path:path": "a/b.png",
    }
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def knock(client: TestClient, method: str, path: str, header: str | None) -> Response:
    """A request that is well-formed as far as can be seen without its meaning; what it says is wrong everywhere."""
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    if method == "POST":
        headers["Content-Type"] = b"multipart/form-data" if path == "/submissions" else b"application/json"
    body = b"{}" if method == "POST" else b"{not json" if method == "GET" else None
    return client.request(method, _filled(path), headers=headers, content=body)


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("header", WRONG)
def test_every_door_is_shut_without_a_right_token(
    refusing_site: Site, method: str, path: str, header: str | None
) -> None:
    """AUT-1: no header, another scheme, or a token that is nearly right: 401 with the way in, before any rule."""
    answer = knock(refusing_site.as_(None), method, path, header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("header", [None, "Bearer ", "Bearer anything-0123456789", "Bearer token-of-ada-0123456789"])
def test_with_an_empty_list_nothing_passes(closed_site: Site, method: str, path: str, header: str | None) -> None:
    """AUT-1: no tokens means nobody, not everybody."""
    assert knock(closed_site.as_(None), method, path, header).status_code == 401


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("/submissions", "application/json", b"{}", 415),
        ("/submissions", "", b"x", 415),
        ("/jobs", "text/plain", b"{}", 415),
        ("/users", "", b"{}", 415),
        ("/jobs", "application/json", b"{not json", 422),
        ("/users", "application/json", b'{"name": "x", "name": "y"}', 422),
        ("/jobs", "application/json", b" " * 70_000, 413),
        ("/jobs?x=%00", "application/json", b"{}", 422),
        (f"/jobs/{job_id(1)}/%ff", "application/json", b"{}", 422),
    ],
)
def test_what_is_refused_before_the_token_tells_nothing(
    site: Site, path: str, kind: str, body: bytes, status: int
) -> None:
    """What no route could read is refused without asking who sent it: to everybody in the same words."""
    told = []
    for user in (None, "ada", "root"):
        answer = site.as_(user).post(path, content=body, headers={"Content-Type": kind} if kind else {})
        assert answer.status_code == status
        told.append({key: value for key, value in answer.json().items() if key != "request_id"})
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize(("method", "path"), ADMINS)
def test_a_users_token_does_not_open_an_admins_door(refusing_site: Site, method: str, path: str) -> None:
    """AUT-3: known, and not enough; the rules of what was sent are told to admins alone."""
    answer = knock(refusing_site.as_("ada"), method, path, None)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(("user", "role"), [("ada", "user"), ("bob", "user"), ("root", "admin")])
def test_a_token_is_its_user(site: Site, user: str, role: str) -> None:
    """AUT-2, AUT-4: the name, never the token, the role of the settings, and how one was known."""
    assert site.as_(user).get("/auth/me").json() == {"user_id": user, "role": role, "method": "api_token"}


def test_the_scheme_may_be_written_in_any_case(site: Site) -> None:
    """RFC 7235."""
    answer = site.as_(None).get("/auth/me", headers={"Authorization": "bearer token-of-ada-0123456789"})
    assert answer.status_code == 200


@pytest.mark.parametrize(("method", "path"), sorted(OPEN - {("POST", "/auth/login")}))
def test_an_open_door_needs_no_token(site: Site, method: str, path: str) -> None:
    """AUT-1's exceptions."""
    assert site.as_(None).request(method, path).status_code == 200


@pytest.mark.slow
def test_signing_in_needs_no_token_and_wrong_words_open_nothing(site: Site) -> None:
    """AUT-2: the one way to a token is open, and says 401 to who has no account here; a token does not help."""
    for user in (None, "ada"):
        answer = site.as_(user).post("/auth/login", json={"username": "ada", "password": "no password of hers"})
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")


def test_a_refusal_does_not_repeat_the_token(site: Site) -> None:
    """AUT-4: what was sent does not come back."""
    answer = site.as_(None).get("/auth/me", headers={"Authorization": "Bearer my-secret-token-0123"})
    assert "my-secret" not in answer.text
