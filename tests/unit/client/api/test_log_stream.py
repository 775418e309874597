"""The log as it is pushed (JOB-6, LOG-2): each byte once and in order, whatever happens to the streams."""

import asyncio
from contextlib import aclosing

import httpx2
import pytest

import client.api.pauses
from client.api.async_client import AsyncLeadersboardClient
from client.api.errors import LeadersboardError, Unavailable, Unreachable
from client.api.log_stream import Ended, Interrupted, LogEvent, LogStream, Reading
from client.api.models import LogPart
from client.api.pauses import with_pauses
from tests.unit.client.fake_log import EVENTS, PARTS, STATUS, STREAM, Body, FakeLog, stream_of
from tests.unit.client.fake_platform import Platform, end_event, job, log_event, problem

pytestmark = pytest.mark.unit

TEXT = "one\ntwo €\u2028 \x1b[31m\r\x85\n\nthree 🙂\n"
GONE = httpx2.RemoteProtocolError("peer closed connection without sending complete message body")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams are opened again at once."""
    monkeypatch.setattr(client.api.pauses, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(client.api.pauses, "LONGEST_PAUSE", 0.0)


async def read(platform: Platform, offset: int | None = 0) -> list[LogEvent]:
    """All events of the log until its end."""
    async with platform.async_http() as http:
        stream = LogStream(AsyncLeadersboardClient(http, "t0ken"), "j1", offset=offset)
        async with aclosing(stream.events()) as events:
            return [event async for event in events]


def seen(platform: Platform, offset: int | None = 0) -> list[LogEvent]:
    """The same, for a test that reads once."""
    return asyncio.run(asyncio.wait_for(read(platform, offset), 20))


def text_of(events: list[LogEvent]) -> str:
    return "".join(event.logs for event in events if isinstance(event, LogPart))


def streams(platform: Platform) -> list[str | None]:
    """The offsets from which streams were asked for."""
    return [one.url.params.get("offset") for one in platform.asked if one.url.path == STREAM]


def test_a_log_is_read_from_its_offset_to_its_end(platform: Platform) -> None:
    """One stream brings it all, with the platform's ranges; the token is in the header."""
    FakeLog(TEXT, own=4).serve(platform)
    events = seen(platform)
    assert isinstance(events[0], Reading)
    assert events[0].is_pushed
    assert text_of(events) == TEXT
    assert [event.platform for event in events if isinstance(event, LogPart)][:2] == [((0, 4),), ()]
    assert events[-1] == Ended()
    assert streams(platform) == ["0"]
    assert platform.asked[-1].headers["authorization"] == "Bearer t0ken"


def test_without_an_offset_the_platform_chooses_the_tail(platform: Platform) -> None:
    """Then the first part says where it is."""
    FakeLog(TEXT).serve(platform)
    assert text_of(seen(platform, None)) == TEXT
    assert streams(platform) == [None]


@pytest.mark.slow
@pytest.mark.parametrize("failure", [None, GONE, httpx2.ReadTimeout("silent")])
def test_wherever_a_stream_breaks_nothing_is_lost_or_doubled(platform: Platform, failure: Exception | None) -> None:
    """Cut after each of its bytes: within a character, a field, a line or between two events."""
    log = FakeLog(TEXT)
    whole = log.events()

    async def cut_everywhere() -> None:
        for cut in range(len(whole)):
            log.serve(platform, job(status="running"), job(status="running"), job(status="completed"))
            platform.answers("GET", STREAM, lambda _asked, cut=cut: stream_of(whole[:cut], failure), log.push)
            events = await read(platform)
            assert text_of(events) == TEXT, cut
            assert events.count(Ended()) == 1, cut

    asyncio.run(asyncio.wait_for(cut_everywhere(), 120))


def test_a_stream_that_repeats_itself_is_not_shown_twice(platform: Platform) -> None:
    """Events before the offset that was reached are passed over."""
    log = FakeLog(TEXT)
    log.serve(platform)
    platform.answers("GET", STREAM, stream_of(log.events()[:200]), stream_of(log.events()))
    assert text_of(seen(platform)) == TEXT


def test_an_outage_is_told_and_waited_out(platform: Platform) -> None:
    """The platform is away, then starting, then back: the reader is told each time, and goes on where it was."""
    log = FakeLog(TEXT)
    running = job(status="running")
    log.serve(platform, running, httpx2.ConnectError("no"), problem(503, "starting", "Starting."), running)
    platform.answers("GET", STREAM, stream_of(log.events()[:100], GONE), log.push)
    events = seen(platform)
    kinds = [type(event.error) for event in events if isinstance(event, Interrupted)]
    assert kinds == [Unreachable, Unreachable, Unavailable]
    assert text_of(events) == TEXT


SHUT_OUT = {
    "a limit": lambda: problem(429, "limit_reached", "You are watching 20 logs. Close one first.", retry_after="30"),
    "a proxy's page": lambda: httpx2.Response(200, text="<html>"),
    "a proxy that holds all back": lambda: stream_of(b"retry: 1000\n\n", httpx2.ReadTimeout("silent")),
    "an empty stream": lambda: stream_of(b""),
    "a stream that only begins": lambda: stream_of(b"retry: 1000\n\n"),
}


@pytest.mark.parametrize("kind", SHUT_OUT)
def test_without_a_stream_the_log_comes_in_parts(platform: Platform, kind: str) -> None:
    """Too many streams, or a proxy that lets none through: single requests bring the same log, and its end."""
    FakeLog(TEXT).serve(platform, job(status="running"), job(status="completed"))
    platform.answers("GET", STREAM, lambda _asked: SHUT_OUT[kind]())
    events = seen(platform)
    assert text_of(events) == TEXT
    assert not [event for event in events if isinstance(event, Reading)][-1].is_pushed
    assert events[-1] == Ended()
    told = [str(event.error) for event in events if isinstance(event, Interrupted)]
    assert (told == ["You are watching 20 logs. Close one first."]) == (kind == "a limit")


def test_a_job_that_ends_while_its_log_is_read_is_not_cut_short(platform: Platform) -> None:
    """A state that was read before the job's end says nothing of the log: it is read once more."""
    early, whole = FakeLog(TEXT[:5]), FakeLog(TEXT)
    whole.serve(platform, job(status="running"), job(status="cancelled"))
    platform.answers("GET", STREAM, lambda _asked: problem(429, "limit_reached", "Full."))
    platform.answers("GET", PARTS, early.part, early.part, whole.part)
    assert text_of(seen(platform)) == TEXT


@pytest.mark.parametrize("status", [401, 403, 404, 422])
@pytest.mark.parametrize("place", [STATUS, STREAM])
def test_what_may_not_be_read_is_refused_at_once(platform: Platform, status: int, place: str) -> None:
    """A refusal that no further try changes is raised, also when a token ends between two streams."""
    log = FakeLog(TEXT)
    refused = problem(status, "x", "Not for you.")
    log.serve(platform, job(status="running"), refused if place == STATUS else job(status="running"))
    platform.answers("GET", STREAM, stream_of(log.events()[:100]), refused)
    with pytest.raises(LeadersboardError, match="Not for you"):
        seen(platform)
    assert len(platform.asked) <= 5


@pytest.mark.parametrize(
    "event",
    [
        "event: log\ndata: {}\nid: 9\n\n",
        "event: log\ndata: no json\nid: 9\n\n",
        'event: log\ndata: {"text": 1, "platform": []}\nid: 9\n\n',
        'event: log\ndata: {"text": "x", "platform": [["a", 1]]}\nid: 9\n\n',
        'event: log\ndata: {"text": "x", "platform": []}\nid: x\n\n',
        'event: log\ndata: {"text": "x", "platform": []}\n\n',
        "event: log\ndata: " + "x" * 2_000_000 + "\n\n",
    ],
)
def test_what_is_no_log_is_not_shown(platform: Platform, event: str) -> None:
    """Events of another shape, or of another size than any event has, end the stream; the next one is whole."""
    log = FakeLog(TEXT)
    log.serve(platform)
    body = (log_event("one\n", 4) + event).encode()
    platform.answers("GET", STREAM, httpx2.Response(200, headers=EVENTS, stream=Body(body, step=65536)), log.push)
    assert text_of(seen(platform)) == TEXT


def test_events_of_a_newer_platform_are_passed_over(platform: Platform) -> None:
    """Only `log` and `end` mean something to this reader."""
    FakeLog("one\n").serve(platform)
    body = ": ping\n\nevent: news\ndata: x\n\n" + log_event("one\n", 4) + end_event(4)
    platform.answers("GET", STREAM, stream_of(body.encode()))
    assert text_of(seen(platform)) == "one\n"


def test_a_connection_is_given_back_when_the_reader_leaves(platform: Platform) -> None:
    """Whoever stops in the middle holds no stream of the platform's any more."""
    log = FakeLog(TEXT)
    log.serve(platform)
    body = Body(log.events())
    platform.answers("GET", STREAM, httpx2.Response(200, headers=EVENTS, stream=body))

    async def leave() -> None:
        async with platform.async_http() as http:
            stream = LogStream(AsyncLeadersboardClient(http, "t0ken"), "j1", offset=0)
            async with aclosing(with_pauses(stream.events(), 1.0)) as events:
                async for event in events:
                    if isinstance(event, LogPart):
                        assert not body.closed.is_set()
                        break
        assert body.closed.is_set()

    asyncio.run(asyncio.wait_for(leave(), 20))
