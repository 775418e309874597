"""Files of runs in the browser: asked of the API as the user, under the run's own names, a few at a time (FLD-7)."""

import asyncio
from collections.abc import Iterable
from urllib.parse import quote

import httpx2
import pytest

from tests.odd_names import ODD_NAMES
from tests.unit.client.fake_platform import Platform, problem
from tests.unit.ui.front import ORIGIN, Front
from ui.markup import file_link
from ui.relay import TRIES
from ui.run_files import OF_ONE_USER, Turns

pytestmark = pytest.mark.unit


async def opened(front: Front, names: Iterable[str]) -> list[httpx2.Response]:
    """The answers to these links. Starlette's own test client decodes paths twice."""
    transport = httpx2.ASGITransport(front.app)
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, cookies=front.browser.cookies) as browser:
        return [await browser.get(file_link(name, "j1")) for name in names]


def test_a_link_leads_to_the_file_of_that_name(front: Front, platform: Platform) -> None:
    """With the headers that tell a browser what to do with it, and nothing else of the API's answer."""
    front.sign_in()
    headers = {"Content-Type": "image/png", "Content-Disposition": "inline; filename*=UTF-8''x", "Set-Cookie": "a=b"}
    for name in ODD_NAMES:
        platform.answers("GET", f"/jobs/j1/artifacts/{name}", httpx2.Response(200, content=b"png", headers=headers))
    answers = asyncio.run(opened(front, ODD_NAMES))
    for name, answer in zip(ODD_NAMES, answers, strict=True):
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"png", "image/png"), name
        assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''x"
        assert "set-cookie" not in answer.headers
    assert platform.asked[-1].headers["authorization"] == "Bearer alices-token"


def test_strangers_ask_nothing_of_the_api(front: Front, platform: Platform) -> None:
    assert front.browser.get("/jobs/j1/files/a.png").status_code == 401
    assert not [asked for asked in platform.asked if asked.url.path.startswith("/jobs")]


@pytest.mark.parametrize("path", ["%2e%2e/status", "a/%2e%2e/%2e%2e/cancel", "a%2F%2Fb", "%2e"])
def test_no_path_leads_to_another_endpoint(front: Front, platform: Platform, path: str) -> None:
    front.sign_in()
    assert front.browser.get(f"/jobs/j1/files/{path}").status_code == 404
    assert not [asked for asked in platform.asked if asked.url.path.startswith("/jobs")]


def test_a_refusal_is_told_in_words(front: Front, platform: Platform) -> None:
    """The answer is a page with the API's own sentence, since a browser shows it where a link led."""
    front.sign_in()
    platform.answers("GET", "/jobs/j1/artifacts/a.png", problem(404, "not_found", "There is no artifact <a.png>."))
    page = front.browser.get("/jobs/j1/files/a.png", headers={"accept": "text/html"})
    assert (page.status_code, "There is no artifact &lt;a.png&gt;." in page.text) == (404, True)
    platform.answers("GET", "/jobs/j1/artifacts/a.png", httpx2.ConnectError("no"))
    page = front.browser.get("/jobs/j1/files/a.png", headers={"accept": "text/html"})
    assert (page.status_code, "does not answer at the moment" in page.text) == (503, True)


def test_a_file_is_asked_for_again_while_the_api_sends_too_many(
    front: Front, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No picture of a page stays empty because others look at pictures, too; but it is not asked for without end."""
    monkeypatch.setattr("ui.relay.PAUSE_SECONDS", 0)
    front.sign_in()
    busy = problem(429, "limit_reached", "16 files are being downloaded, which is the most at once.")
    platform.answers("GET", "/jobs/j1/artifacts/a.png", busy, httpx2.Response(200, content=b"png"))
    assert front.browser.get("/jobs/j1/files/a.png").content == b"png"
    platform.answers("GET", "/jobs/j1/artifacts/b.png", lambda _asked: problem(429, "limit_reached", "Too many."))
    assert front.browser.get("/jobs/j1/files/b.png").json() == {"detail": "Too many."}
    assert len([asked for asked in platform.asked if asked.url.path.endswith("b.png")]) == TRIES


def test_a_page_of_pictures_asks_for_a_few_at_a_time() -> None:
    """The API refuses more; each waits for its turn, and another user's do not."""
    under_way = most = 0

    async def one(turns: Turns) -> None:
        nonlocal under_way, most
        async with turns.one_of("alice"):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    async def page() -> None:
        turns = Turns(OF_ONE_USER)
        await asyncio.gather(*(one(turns) for _picture in range(24)))

    asyncio.run(page())
    assert most == OF_ONE_USER


def test_links_are_plain_addresses() -> None:
    assert file_link("a#b ?/ネ.png", "j1") == f"/jobs/j1/files/a%23b%20%3F/{quote('ネ')}.png"
