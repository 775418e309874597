"""AUT-5: pages of other origins, in a browser."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.settings import Settings
from tests.unit.gateway.auth.door import Door

pytestmark = pytest.mark.unit


def test_listed_pages_may_call_from_a_browser_and_others_not() -> None:
    """AUT-5: a preflight from a page of CORS_ORIGINS is allowed for what we have; from any other page nothing is."""
    door = Door(cors_origins="https://lab.example")
    asked = {"access-control-request-method": "DELETE", "access-control-request-headers": "authorization,content-type"}
    allowed = door.browser.options("/users/bea", headers={"origin": "https://lab.example", **asked})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://lab.example"
    assert "access-control-allow-credentials" not in allowed.headers
    for origin in ("https://evil.example", "https://lab.example.evil.example", "http://lab.example", "null"):
        refused = door.browser.options("/users/bea", headers={"origin": origin, **asked})
        assert (refused.status_code, refused.headers["content-type"]) == (400, "application/problem+json")
        assert refused.json()["code"] == "cross_origin_refused"
        assert refused.json()["request_id"] == refused.headers["x-request-id"]
        assert "access-control-allow-origin" not in refused.headers
        assert "access-control-allow-origin" not in door.browser.get("/auth/me", headers={"origin": origin}).headers
    answer = door.browser.get("/auth/me", headers={"origin": "https://lab.example"})
    assert answer.headers["access-control-allow-origin"] == "https://lab.example"


def test_without_a_list_no_page_may_call(door: Door) -> None:
    """AUT-5: the default is nobody; everybody (`*`) cannot be set."""
    asked = {"origin": "https://lab.example", "access-control-request-method": "GET"}
    assert "access-control-allow-origin" not in door.browser.options("/auth/me", headers=asked).headers
    with pytest.raises(ValidationError, match="CORS_ORIGINS"):
        Settings(cors_origins="*")
