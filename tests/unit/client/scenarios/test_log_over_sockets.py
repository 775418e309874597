"""JOB-6, LOG-2: a log over real connections that are torn, refused, left silent or closed by a restart."""

import asyncio
from contextlib import aclosing

import httpx2
import pytest

import client.api.exchange
import client.api.pauses
from client.api.async_client import AsyncLeadersboardClient
from client.api.errors import Unreachable
from client.api.exchange import open_async_http
from client.api.log_stream import Ended, Interrupted, LogEvent, LogStream
from client.api.models import LogPart
from tests.unit.client.fake_log import FakeLog
from tests.unit.client.log_server import LogServer

pytestmark = pytest.mark.unit

LOG = FakeLog("".join(f"épreuve {step} 🙂 \x1b[31mloss\x1b[0m\n" for step in range(40)))


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream is opened again soon, without a busy loop where nobody listens."""
    monkeypatch.setattr(client.api.pauses, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(client.api.pauses, "LONGEST_PAUSE", 0.02)


async def read(gateway: LogServer, *, restarts: bool = False) -> list[LogEvent]:
    """All events until the end; with `restarts` the gateway comes back once its absence was noticed."""
    found: list[LogEvent] = []
    async with open_async_http(gateway.url, use_proxies=False) as http:
        stream = LogStream(AsyncLeadersboardClient(http, "t0ken"), "j1", offset=0)
        async with aclosing(stream.events()) as events:
            async for event in events:
                found.append(event)
                refused = isinstance(event, Interrupted) and "ConnectError" in str(event.error)
                if restarts and isinstance(event, LogPart) and len(found) == 2:
                    gateway.stop()
                elif restarts and refused:
                    restarts = False
                    gateway.start()
    return found


def run(gateway: LogServer, *, restarts: bool = False) -> list[LogEvent]:
    return asyncio.run(asyncio.wait_for(read(gateway, restarts=restarts), 30))


def text_of(events: list[LogEvent]) -> str:
    return "".join(event.logs for event in events if isinstance(event, LogPart))


@pytest.mark.slow
def test_torn_connections_lose_and_double_nothing() -> None:
    """In the middle of a line, an escape, a character or an event's end: the next stream begins where one was whole."""
    with LogServer(LOG, cuts=[*range(150, 990, 61)]) as gateway:
        events = run(gateway)
    assert text_of(events) == LOG.text
    assert events[-1] == Ended()
    assert gateway.offsets == sorted(gateway.offsets)
    assert len(gateway.offsets) == len(range(150, 990, 61)) + 1


def test_a_restart_of_the_gateway_is_waited_out() -> None:
    """Streams break, connections are refused, then the gateway is back: the log goes on."""
    with LogServer(LOG, cuts=[400]) as gateway:
        events = run(gateway, restarts=True)
    assert text_of(events) == LOG.text
    told = [event.error for event in events if isinstance(event, Interrupted)]
    assert {type(error) for error in told} == {Unreachable}
    assert any("cannot be reached" in str(error) for error in told)


@pytest.mark.slow
def test_a_connection_that_died_in_silence_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle stream has comments; where not even they come, nobody is there any more."""
    monkeypatch.setattr(client.api.exchange, "STREAM_TIMEOUT", httpx2.Timeout(20.0, read=0.2))
    with LogServer(LOG, cuts=[300], is_silent=True) as gateway:
        events = run(gateway)
    assert text_of(events) == LOG.text
    assert {type(event.error) for event in events if isinstance(event, Interrupted)} == {Unreachable}
