"""Nobody gets in without a session, and no other site acts for a user."""

import pytest
from starlette.websockets import WebSocketDisconnect

from tests.unit.ui.front import ORIGIN, Front

pytestmark = pytest.mark.unit


def test_strangers_are_sent_to_sign_in(front: Front) -> None:
    """A page asked for without a session leads to the sign-in and back; anything else is 401."""
    page = front.browser.get("/page?id=1", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2Fpage%3Fid%3D1")
    assert front.browser.get("/page").status_code == 401
    assert front.browser.post("/page", headers={"accept": "text/html"}).status_code == 401
    assert front.browser.get("/jobs/j1/log-events").status_code == 401


def test_health_is_open(front: Front) -> None:
    """The health check needs no session."""
    assert front.browser.get("/health/live").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/login", "/logout", "/page"])
@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}, {"origin": "null"}]
)
def test_another_site_can_do_nothing(front: Front, path: str, headers: dict[str, str]) -> None:
    """A form on another site can neither sign anybody in or out nor act."""
    front.sign_in()
    assert front.browser.post(path, data={"token": "alices-token"}, headers=headers).status_code == 403
    assert front.browser.get("/page").status_code == 200


def test_our_own_pages_can_act(front: Front) -> None:
    """A request that the browser calls same-origin passes."""
    assert front.sign_in() == 303
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": ORIGIN}):
        assert front.browser.post("/page", headers=headers).status_code == 405


def test_every_answer_has_its_headers(front: Front) -> None:
    """Also refusals carry the policy that keeps other sites out; the sign-in allows no script."""
    for path in ("/health/live", "/page", "/login"):
        headers = front.browser.get(path).headers
        assert "default-src" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert "script-src" not in front.browser.get("/login").headers["content-security-policy"]


def test_there_are_no_web_sockets(front: Front) -> None:
    """A web socket is closed before any part behind the door hears of it, signed in or not."""
    for _ in range(2):
        with pytest.raises(WebSocketDisconnect), front.browser.websocket_connect("/page"):
            pass
        front.sign_in()
