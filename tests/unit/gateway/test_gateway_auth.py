"""Who asks: every door but the open ones needs a token that is on the list."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from core.settings import ApiToken, Settings
from gateway.app import create_app
from gateway.auth import Doorkeeper
from tests.builders import job_id, ports
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit

DOORS = [
    ("GET", "/auth/me"),
    ("POST", "/submissions"),
    ("POST", "/jobs"),
    ("GET", "/jobs"),
    ("GET", f"/jobs/{job_id(1)}/status"),
    ("POST", f"/jobs/{job_id(1)}/cancel"),
    ("GET", f"/jobs/{job_id(1)}/logs"),
    ("GET", f"/jobs/{job_id(1)}/results"),
    ("GET", "/leaderboard"),
    ("GET", "/benchmarks"),
    ("GET", "/resource-classes"),
]
OPEN = {"/health/live", "/health/ready"}
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


def test_the_list_of_doors_is_complete(site: Site) -> None:
    """A new endpoint that is not on this list fails here until somebody decides whether it is open."""
    listed = {(method, path.replace(job_id(1), "{job_id}")) for method, path in DOORS}
    served = set()
    for path, methods in site.app.openapi()["paths"].items():
        served |= {(method.upper(), path) for method in methods if path not in OPEN}
    assert served == listed


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("header", WRONG)
def test_every_door_is_shut_without_a_right_token(site: Site, method: str, path: str, header: str | None) -> None:
    """AUT-1: no header, another scheme, or a token that is nearly right: 401 with the way in, before anything else."""
    sent = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = site.as_(None).request(method, path, headers=sent, content=b"{not json" if path == "/auth/me" else None)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("header", [None, "Bearer ", "Bearer anything-0123456789", "Bearer token-of-ada-0123456789"])
def test_with_an_empty_list_nothing_passes(tmp_path: Path, method: str, path: str, header: str | None) -> None:
    """AUT-1: no tokens means nobody, not everybody."""
    app = create_app(Settings(api_tokens=()))
    app.state.ports = ports(tmp_path)
    sent = {} if header is None else {"Authorization": header}
    assert TestClient(app).request(method, path, headers=sent).status_code == 401


@pytest.mark.parametrize(("user", "role"), [("ada", "user"), ("bob", "user"), ("root", "admin")])
def test_a_token_is_its_user(site: Site, user: str, role: str) -> None:
    """AUT-2, AUT-4: the name, never the token, and the role of the settings."""
    assert site.as_(user).get("/auth/me").json() == {"user_id": user, "role": role}


def test_the_scheme_may_be_written_in_any_case(site: Site) -> None:
    """RFC 7235."""
    answer = site.as_(None).get("/auth/me", headers={"Authorization": "bearer token-of-ada-0123456789"})
    assert answer.status_code == 200


def test_health_needs_no_token(site: Site) -> None:
    """AUT-1's exceptions."""
    assert site.as_(None).get("/health/live").status_code == 200
    assert site.as_(None).get("/docs").status_code == 200


def test_two_tokens_of_one_user_are_one_user() -> None:
    """A token can be replaced without a gap."""
    pair = tuple(ApiToken(user_id="ada", token=f"{n}" * 16) for n in (1, 2))
    keeper = Doorkeeper(Settings(api_tokens=pair))
    assert keeper.listed_user("1" * 16) == keeper.listed_user("2" * 16)
    assert keeper.listed_user("3" * 16) is None


def test_a_refusal_does_not_repeat_the_token(site: Site) -> None:
    """AUT-4: what was sent does not come back."""
    answer = site.as_(None).get("/auth/me", headers={"Authorization": "Bearer my-secret-token-0123"})
    assert "my-secret" not in answer.text
