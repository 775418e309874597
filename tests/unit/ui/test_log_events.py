"""The log as events for the browser: relayed as it is pushed, no gap, no double, and an end."""

import json
from typing import Any

import httpx2
import pytest

import client.api.pauses
import ui.log_events
from tests.unit.client.fake_log import EVENTS, PARTS, STREAM, Body, FakeLog, stream_of
from tests.unit.client.fake_platform import Platform, job, problem
from tests.unit.ui.front import Front
from tests.unit.ui.served import Served

pytestmark = pytest.mark.unit

LOG = FakeLog("one\ntwo\n<b>three</b>\n")
RUNNING = job(status="running")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of the platform are opened again at once."""
    monkeypatch.setattr(client.api.pauses, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(client.api.pauses, "LONGEST_PAUSE", 0.0)


def events(front: Front, path: str = "/jobs/j1/log-events", **headers: str) -> list[tuple[str, str, dict[str, Any]]]:
    """What the stream gave: name, id and data of each event."""
    text = front.browser.get(path, headers=headers).text
    told = [block.splitlines() for block in text.split("\n\n") if "data" in block]
    blocks = [dict(line.split(": ", 1) for line in lines) for lines in told]
    return [(block["event"], block.get("id", ""), json.loads(block["data"])) for block in blocks]


def shown(found: list[tuple[str, str, dict[str, Any]]]) -> str:
    """The text of a stream."""
    return "".join(data["text"] for name, _, data in found if name == "log")


def states(found: list[tuple[str, str, dict[str, Any]]]) -> list[bool]:
    """Whether the job had ended, as the stream said it."""
    return [data["final"] for name, _, data in found if name == "state"]


def test_the_tail_comes_first_and_the_end_last(front: Front, platform: Platform) -> None:
    """A stream gives all that the platform pushes once, says when the job is over, and asks for nothing besides."""
    front.sign_in()
    LOG.serve(platform, RUNNING)
    before = len(platform.asked)
    found = events(front)
    assert shown(found) == LOG.text
    assert states(found) == [False, True]
    assert found[-1] == ("over", "", {"why": ""})
    assert found[-3][:2] == ("log", str(LOG.length))
    assert [one.url.path for one in platform.asked[before:]] == ["/jobs/j1/status", STREAM]
    assert platform.asked[-1].headers["authorization"] == "Bearer alices-token"


def test_a_job_that_had_ended_before_is_known_before_its_log(front: Front, platform: Platform) -> None:
    """UI-4: the page folds the log of a finished job, so it must know first."""
    front.sign_in()
    LOG.serve(platform)
    found = events(front)
    assert (found[0][0], states(found)) == ("state", [True, True])


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_broken_stream_goes_on_where_it_stopped(front: Front, platform: Platform, way: str) -> None:
    """The last event's id, or an offset in the address, is where the text goes on."""
    front.sign_in()
    LOG.serve(platform)
    path = "/jobs/j1/log-events"
    found = events(front, path, **{"last-event-id": "8"}) if way == "header" else events(front, f"{path}?offset=8")
    assert shown(found) == LOG.text[8:]


def test_a_platform_that_is_away_comes_back(front: Front, platform: Platform) -> None:
    """A failure is told and waited out, without an internal address; nothing is lost or doubled."""
    front.sign_in()
    LOG.serve(platform, RUNNING, httpx2.ConnectError("no"), problem(503, "x", "x"), job(status="failed"))
    platform.answers("GET", STREAM, stream_of(LOG.events()[:100], httpx2.ReadError("gone")), LOG.push)
    found = events(front)
    assert [data for name, _, data in found if name == "away"] == [
        {"why": "Unreachable", "words": ""},
        {"why": "Unreachable", "words": ""},
        {"why": "Unavailable", "words": ""},
    ]
    assert shown(found) == LOG.text


def test_a_platform_without_a_free_stream_says_so_and_the_log_still_comes(front: Front, platform: Platform) -> None:
    """What the platform says of its limit stays to be read after the parts that came."""
    front.sign_in()
    LOG.serve(platform, RUNNING, job(status="completed"))
    platform.answers("GET", STREAM, problem(429, "limit_reached", "You are watching 20 logs.", retry_after="30"))
    found = events(front)
    assert shown(found) == LOG.text
    at = [name for name, _, _ in found].index("away")
    assert (found[at - 1][0], found[at][2]["words"][:25]) == ("log", "You are watching 20 logs.")
    assert found[-1] == ("over", "", {"why": ""})
    assert platform.asked[-1].url.path == PARTS


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_may_not_be_seen_ends_at_once(front: Front, platform: Platform, status: int) -> None:
    """Somebody else's job, or none, ends the stream with the reason."""
    front.sign_in()
    platform.answers("GET", "/jobs/j1/status", problem(status, "x", "Not yours."))
    assert events(front) == [("over", "", {"why": "Not yours."})]


def test_a_token_that_ends_ends_the_stream(front: Front, platform: Platform) -> None:
    """When the platform knows the token no more at the next stream, the page says so."""
    front.sign_in()
    LOG.serve(platform, RUNNING, problem(401, "unauthenticated", "Your token has ended."))
    platform.answers("GET", STREAM, stream_of(LOG.events()[:100]))
    assert events(front)[-1] == ("over", "", {"why": "Your token has ended."})


@pytest.mark.parametrize("is_silent", [True, False])
def test_signing_out_ends_the_stream(
    front: Front, platform: Platform, monkeypatch: pytest.MonkeyPatch, *, is_silent: bool
) -> None:
    """A stream does not outlive its session, whether the log goes on or nothing comes."""
    monkeypatch.setattr(ui.log_events, "SESSION_SECONDS", 0.01)
    front.sign_in()
    LOG.serve(platform, RUNNING)

    def sign_out_meanwhile(_asked: httpx2.Request) -> httpx2.Response:
        front.sessions.close(front.cookie.unseal(dict(front.browser.cookies), secure=False) or "")
        return stream_of(b"retry: 1000\n\n" if is_silent else LOG.events(), is_endless=is_silent)

    platform.answers("GET", STREAM, sign_out_meanwhile)
    found = events(front)
    assert found[-1] == ("over", "", {"why": "Your session has ended."})
    assert not shown(found)


@pytest.mark.parametrize("last", ["9" * 5000, "9" * 16, "\u0663", "\xb2", "-1", "1e3", "x", "1 2"])
def test_a_place_that_no_event_had_is_refused_in_words(front: Front, platform: Platform, last: str) -> None:
    """The number of digits is bounded before they become a number; nobody asks the API for it."""
    front.sign_in()
    before = len(platform.asked)
    answer = front.browser.get("/jobs/j1/log-events", headers={"last-event-id": last.encode()})
    assert answer.status_code == 422
    assert last not in answer.text
    for offset in (last, "-1", str(2**53 + 1)):
        assert front.browser.get("/jobs/j1/log-events", params={"offset": offset}).status_code == 422
    assert len(platform.asked) == before


@pytest.mark.parametrize(("of_one", "of_all"), [(1, 9), (9, 1)])
def test_streams_are_bounded_and_their_places_come_back(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, of_one: int, of_all: int
) -> None:
    """One user cannot take all of them, and who is one too many is told so."""
    monkeypatch.setattr(ui.log_events, "STREAMS_OF_ONE_USER", of_one)
    monkeypatch.setattr(ui.log_events, "STREAMS_OF_ALL", of_all)
    front = Front(platform)
    front.sign_in()
    LOG.serve(platform)
    second: list[tuple[str, str, dict[str, Any]]] = []

    def open_another(asked: httpx2.Request) -> httpx2.Response:
        second.extend([] if second else events(front, "/jobs/j2/log-events"))
        return LOG.push(asked)

    platform.answers("GET", STREAM, open_another)
    platform.answers("GET", "/jobs/j2/status", job(status="failed"))
    platform.answers("GET", "/jobs/j2/logs/stream", LOG.push)
    first = events(front)
    assert [(name, data["why"]) for name, _, data in second] == [("over", second[0][2]["why"])]
    assert "1 logs open, which is the most at once" in second[0][2]["why"]
    assert first[-1] == ("over", "", {"why": ""})
    assert events(front, "/jobs/j2/log-events")[-1] == ("over", "", {"why": ""})


def test_a_browser_that_leaves_gives_the_platforms_stream_back(ui: Served) -> None:
    """A closed tab holds no stream of its user's at the API."""
    body = Body(LOG.events()[:100], is_endless=True)
    own = "/jobs/watched"  # of no other test, whose last stream the shared server may still be reading
    ui.platform.answers("GET", f"{own}/status", RUNNING)
    ui.platform.answers("GET", f"{own}/logs/stream", httpx2.Response(200, headers=EVENTS, stream=body))
    with ui.visitor().http.stream("GET", f"{own}/log-events") as answer:
        lines = answer.iter_lines()  # an iterator that is let go closes the connection
        assert any(line == "event: log" for line in lines)
        assert not body.closed.is_set()
    assert body.closed.wait(20)
