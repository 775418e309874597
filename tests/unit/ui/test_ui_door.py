"""The door: who gets in, where they go, and what another site can do."""

import httpx2
import pytest

from tests.unit.client.fake_platform import Platform, problem
from tests.unit.ui.front import ORIGIN, Front
from ui.login import safe_target

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


def test_signing_in_opens_and_out_closes(front: Front) -> None:
    """A valid token opens a session in an HttpOnly SameSite cookie; signing out ends it on the server too."""
    answer = front.browser.post("/login", data={"token": " alices-token ", "target": "/jobs"})
    cookie = answer.headers["set-cookie"].lower()
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "alices-token" not in cookie
    assert front.browser.get("/page").status_code == 200
    kept = dict(front.browser.cookies)
    assert front.browser.post("/logout").status_code == 303
    front.browser.cookies.update(kept)
    assert front.browser.get("/page").status_code == 401


def test_the_cookie_is_for_https_where_there_is_https(front: Front) -> None:
    """Over https the cookie is never sent in the clear."""
    answer = front.browser.post("https://ui.test/login", data={"token": "alices-token"})
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("token", ["", "wrong", "two words", "x" * 9000])
def test_a_wrong_token_opens_nothing(front: Front, token: str) -> None:
    """A token that the API does not know is refused in words, and not repeated on the page."""
    answer = front.browser.post("/login", data={"token": token})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert not token or token not in answer.text


@pytest.mark.parametrize("failure", [httpx2.ConnectError("no"), problem(503, "away", "Away.")])
def test_signing_in_while_the_platform_is_away(
    front: Front, platform: Platform, failure: Exception | httpx2.Response
) -> None:
    """A platform that does not answer is told as that, not as a wrong token."""
    platform.answers("GET", "/auth/me", failure)
    answer = front.browser.post("/login", data={"token": "alices-token"})
    assert answer.status_code == 503
    assert "does not answer" in answer.text


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


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test",
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "javascript:alert(1)",
        "",
        "jobs",
        "/\n/evil",
    ],
)
def test_signing_in_leads_to_no_other_site(target: str) -> None:
    """Only a path of this site is a target."""
    assert safe_target(target) == "/"


@pytest.mark.parametrize("target", ["/jobs", "/job?id=1", "/?metric=a%2Fb"])
def test_signing_in_leads_back(target: str) -> None:
    """A path of this site is kept, with its query."""
    assert safe_target(target) == target


def test_a_hostile_target_is_text_on_the_page(front: Front) -> None:
    """What stands in the address is escaped in the form."""
    page = front.browser.get("/login", params={"next": '/"><script>alert(1)</script>'})
    assert "<script" not in page.text


def test_every_answer_has_its_headers(front: Front) -> None:
    """Also refusals carry the policy that keeps other sites out; the sign-in allows no script."""
    for path in ("/health/live", "/page", "/login"):
        headers = front.browser.get(path).headers
        assert "default-src" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert "script-src" not in front.browser.get("/login").headers["content-security-policy"]
