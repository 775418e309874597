"""The log as events: no gap, no double, and an end."""

import json
from typing import Any

import httpx2
import pytest

import ui.log_events
from tests.unit.client.fake_platform import Platform, job, problem
from tests.unit.ui.front import Front

pytestmark = pytest.mark.unit

TEXT = "one\ntwo\n<b>three</b>\n"


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between steps."""
    monkeypatch.setattr(ui.log_events, "PERIOD", 0.0)
    monkeypatch.setattr(ui.log_events, "AWAY_PERIOD", 0.0)
    monkeypatch.setattr(ui.log_events, "STEPS_PER_STATE", 1)


def part(asked: httpx2.Request) -> httpx2.Response:
    """Five bytes of the log after an offset; its tail without one."""
    at = int(asked.url.params.get("offset", 4))
    more = TEXT[at : at + 5]
    return httpx2.Response(200, json={"job_id": "j1", "logs": more, "next_offset": at + len(more)})


def events(front: Front, path: str = "/jobs/j1/log-events", **headers: str) -> list[tuple[str, str, dict[str, Any]]]:
    """What the stream gave: name, id and data of each event."""
    text = front.browser.get(path, headers=headers).text
    told = [block.splitlines() for block in text.split("\n\n") if "data" in block]
    blocks = [dict(line.split(": ", 1) for line in lines) for lines in told]
    return [(block["event"], block.get("id", ""), json.loads(block["data"])) for block in blocks]


def shown(found: list[tuple[str, str, dict[str, Any]]]) -> str:
    """The text of a stream."""
    return "".join(data["text"] for name, _, data in found if name == "log")


def test_the_tail_comes_first_and_the_end_last(front: Front, platform: Platform) -> None:
    """A stream begins with the tail, gives all that follows once, and says when the job is over."""
    front.sign_in()
    platform.answers("GET", "/jobs/j1/logs", part)
    platform.answers("GET", "/jobs/j1/status", job(status="running"), job(status="completed"))
    found = events(front)
    assert shown(found) == TEXT[4:]
    assert [data for name, _, data in found if name == "state"] == [{"final": False}, {"final": True}]
    assert found[-1] == ("over", "", {"why": ""})
    assert found[-3][1] == str(len(TEXT)) or found[-2][1] == str(len(TEXT))


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_broken_stream_goes_on_where_it_stopped(front: Front, platform: Platform, way: str) -> None:
    """The last event's id, or an offset in the address, is where the text goes on."""
    front.sign_in()
    platform.answers("GET", "/jobs/j1/logs", part)
    platform.answers("GET", "/jobs/j1/status", job(status="failed"))
    path = "/jobs/j1/log-events"
    found = events(front, path, **{"last-event-id": "8"}) if way == "header" else events(front, f"{path}?offset=8")
    assert shown(found) == TEXT[8:]


def test_a_platform_that_is_away_comes_back(front: Front, platform: Platform) -> None:
    """A failure is told and waited out; nothing is lost or doubled."""
    front.sign_in()
    platform.answers("GET", "/jobs/j1/logs", part)
    away = [httpx2.ConnectError("no"), problem(503, "x", "x")]
    platform.answers("GET", "/jobs/j1/status", job(status="running"), *away, job(status="failed"))
    found = events(front)
    assert [name for name, _, _ in found].count("away") == 2
    assert shown(found) == TEXT[4:]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_may_not_be_seen_ends_at_once(front: Front, platform: Platform, status: int) -> None:
    """Somebody else's job, or none, ends the stream with the reason."""
    front.sign_in()
    platform.answers("GET", "/jobs/j1/status", problem(status, "x", "Not yours."))
    assert events(front) == [("over", "", {"why": "Not yours."})]


def test_signing_out_ends_the_stream(front: Front, platform: Platform) -> None:
    """A stream does not outlive its session."""
    front.sign_in()
    platform.answers("GET", "/jobs/j1/logs", part)

    def sign_out_meanwhile(_asked: httpx2.Request) -> httpx2.Response:
        front.sessions.close(front.cookie.unseal(dict(front.browser.cookies), secure=False) or "")
        return httpx2.Response(200, json=job(status="running"))

    platform.answers("GET", "/jobs/j1/status", sign_out_meanwhile)
    assert events(front)[-1] == ("over", "", {"why": "Your session has ended."})


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
    platform.answers("GET", "/jobs/j1/logs", part)
    second: list[tuple[str, str, dict[str, Any]]] = []

    def open_another(_asked: httpx2.Request) -> httpx2.Response:
        second.extend([] if second else events(front, "/jobs/j2/log-events"))
        return httpx2.Response(200, json=job(status="failed"))

    platform.answers("GET", "/jobs/j1/status", open_another)
    platform.answers("GET", "/jobs/j2/logs", part)
    platform.answers("GET", "/jobs/j2/status", job(status="failed"))
    first = events(front)
    assert [(name, data["why"]) for name, _, data in second] == [("over", second[0][2]["why"])]
    assert "1 logs open, which is the most at once" in second[0][2]["why"]
    assert first[-1] == ("over", "", {"why": ""})
    assert events(front, "/jobs/j2/log-events")[-1] == ("over", "", {"why": ""})
