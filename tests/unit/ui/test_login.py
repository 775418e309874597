"""Signing in and out: what opens a session, what ends it, and where it leads."""

import httpx2
import pytest
from fastapi.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tests.unit.client.fake_platform import Platform, problem
from tests.unit.ui.front import ORIGIN, Front
from ui.login import safe_target

pytestmark = pytest.mark.unit

BEA = {"user": " bea ", "password": "beas-password"}


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
    """Over https the cookie is never sent in the clear, and no other host can have set it; signing out forgets it."""
    answer = front.browser.post("https://ui.test/login", data={"token": "alices-token"})
    name, _, rest = answer.headers["set-cookie"].partition("=")
    attributes = {part.strip().lower() for part in rest.split(";")[1:]}
    assert name == "__Host-leadersboard_session"
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes
    assert not any(part.startswith("domain") for part in attributes)
    assert front.browser.get("https://ui.test/page").status_code == 200
    ended = front.browser.post("https://ui.test/logout").headers["set-cookie"]
    assert ended.startswith("__Host-leadersboard_session=")
    assert "secure" in ended.lower()
    assert front.browser.get("https://ui.test/page").status_code == 401


def test_over_https_the_plain_cookie_is_nobodys(front: Front) -> None:
    """A cookie that came over http opens nothing over https, where it could have been set by another host."""
    front.sign_in()
    value = front.browser.cookies["leadersboard_session"]
    headers = {"cookie": f"leadersboard_session={value}"}
    assert front.browser.get("http://ui.test/page", headers=headers).status_code == 200
    assert front.browser.get("https://ui.test/page", headers=headers).status_code == 401


@pytest.mark.parametrize(("peer", "name"), [("10.1.1.1", "__Host-leadersboard_session"), ("10.1.1.2", "leadersboard_")])
def test_a_trusted_proxy_says_that_it_is_https(front: Front, peer: str, name: str) -> None:
    """Behind a TLS proxy that uvicorn trusts the cookie is the one for https; nobody else's header counts."""
    proxied = ProxyHeadersMiddleware(front.app, trusted_hosts="10.1.1.1")  # type: ignore[arg-type]
    with TestClient(proxied, base_url=ORIGIN, client=(peer, 1234), follow_redirects=False) as browser:
        answer = browser.post("/login", data={"token": "alices-token"}, headers={"x-forwarded-proto": "https"})
    assert answer.headers["set-cookie"].startswith(name)


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


def revoked(platform: Platform) -> list[str]:
    """The tokens that the platform was asked to end."""
    return [asked.headers["authorization"] for asked in platform.asked if asked.url.path == "/auth/logout"]


def test_a_password_opens_and_signing_out_revokes(front: Front, platform: Platform) -> None:
    """AUT-2: name and password become a session; the browser gets neither; its end is the token's."""
    answer = front.browser.post("/login", data=BEA | {"target": "/jobs"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
    assert "lbs_beas" not in answer.headers["set-cookie"] + answer.text
    session = front.session()
    assert session is not None
    assert (session.user_id, session.is_admin, session.token) == ("bea", True, "lbs_beas")
    assert revoked(platform) == []
    front.browser.post("/logout")
    assert revoked(platform) == ["Bearer lbs_beas"]


def test_whose_password_it_is_counts_where_they_are(front: Front, platform: Platform) -> None:
    """AUT-2: the API is told the browser's address, so that no stranger uses up everybody's attempts."""
    front.browser.post("/login", data=BEA)
    assert platform.asked[0].headers["x-forwarded-for"] == "testclient"


def test_signing_in_again_ends_the_session_before(front: Front, platform: Platform) -> None:
    """No token of a login stays behind when its browser gets another one."""
    front.browser.post("/login", data=BEA)
    assert front.sign_in() == 303
    assert revoked(platform) == ["Bearer lbs_beas"]


def test_a_pasted_token_is_not_revoked(front: Front, platform: Platform) -> None:
    """An access token is its owner's, and good for the next time."""
    front.sign_in()
    front.browser.post("/logout")
    assert revoked(platform) == []


def test_signing_out_while_the_platform_is_away(front: Front, platform: Platform) -> None:
    """The session ends here, whatever the platform says."""
    front.browser.post("/login", data=BEA)
    platform.answers("POST", "/auth/logout", httpx2.ConnectError("no"))
    assert front.browser.post("/logout").status_code == 303
    assert front.browser.get("/page").status_code == 401


def test_the_sessions_of_a_stopping_process_end_at_the_platform(front: Front, platform: Platform) -> None:
    """AUT-2: no token outlives the process that alone knew it."""
    front.browser.post("/login", data=BEA)
    front.browser_sessions.close()
    assert revoked(platform) == ["Bearer lbs_beas"]
    assert front.browser.get("/page").status_code == 401


@pytest.mark.parametrize(
    ("refusal", "status", "words"),
    [
        (problem(401, "wrong_credentials", "No."), 401, "User name or password is wrong"),
        (problem(422, "invalid_input", "No."), 401, "User name or password is wrong"),
        (problem(429, "limit_reached", "No.", retry_after="42"), 429, "in 42 seconds"),
        (problem(503, "unavailable", "No."), 503, "does not answer"),
        (httpx2.ConnectError("no"), 503, "does not answer"),
    ],
)
def test_why_a_password_opened_nothing(
    front: Front, platform: Platform, refusal: httpx2.Response | Exception, status: int, words: str
) -> None:
    """A refusal is told in words; the name stays in the form, the password does not."""
    platform.answers("POST", "/auth/login", refusal)
    answer = front.browser.post("/login", data={"user": '"><b>bea', "password": "beas-password"})
    assert answer.status_code == status
    assert words in answer.text
    assert 'value="&#34;&gt;&lt;b&gt;bea"' in answer.text
    assert "beas-password" not in answer.text
    assert "set-cookie" not in answer.headers


def test_the_token_form_is_folded_until_it_is_wanted(front: Front) -> None:
    """Name and password come first; after a wrong token its form stays open."""
    assert "<details>" in front.browser.get("/login").text
    assert "<details open>" in front.browser.post("/login", data={"token": "wrong"}).text
    assert "<details>" in front.browser.post("/login", data={"user": "bea", "password": "wrong"}).text


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
