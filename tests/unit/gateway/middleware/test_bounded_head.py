"""Connections that stand still are ended, whichever of the two servers listens; slow ones that go on are not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.middleware.bounded_head import BoundedHeadProtocol as GatewayDoor
from tests.slow_client import Address, is_cut_off
from tests.waiting import until
from ui.http_protocol import PacedProtocol as UiDoor
from wire import pace

pytestmark = [pytest.mark.unit, pytest.mark.slow]

WINDOW = 0.5
LEAST = 100
PATIENCE = 120.0
HEAD = b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n"
GET = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
WHOLE_ANSWER = 64 * 1024**2


class Sending:
    """What became of a long answer."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            for _piece in range(WHOLE_ANSWER // 2**20):
                yield b"x" * 2**20
        finally:
            self.ended.set()


@pytest.fixture
def sending() -> Sending:
    return Sending()


@pytest.fixture(params=[GatewayDoor, UiDoor], ids=["gateway", "ui"])
def address(request: pytest.FixtureRequest, sending: Sending, monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    monkeypatch.setattr(pace, "LEAST_BYTES", LEAST)
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "TAKEN_SECONDS"):
        monkeypatch.setattr(pace, name, WINDOW)

    async def taken(asked: Request) -> Response:
        return PlainTextResponse(str(len(await asked.body())))

    async def long(_asked: Request) -> Response:
        return StreamingResponse(sending.pieces())

    async def hello(_asked: Request) -> Response:
        return PlainTextResponse("hello")

    routes = [
        Route("/taken", taken, methods=["POST"]),
        Route("/long", long),
        Route("/hello", hello, methods=["GET", "POST"]),
    ]
    app = Starlette(routes=routes)
    config = uvicorn.Config(app, http=request.param, ws="none", log_config=None, lifespan="off", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield listener.getsockname()
    server.should_exit = server.force_exit = True
    thread.join(PATIENCE)
    listener.close()


def rest_of(wire: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    try:
        return b"".join(iter(lambda: wire.recv(65536), b""))
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\n", b" 408 ", id="half a head"),
        pytest.param(b"\r\n", None, id="an empty line"),
        pytest.param(HEAD % b"taken", b" 408 ", id="no body"),
        pytest.param(HEAD % b"taken" + b"a" * 20, b" 408 ", id="a piece of a body"),
        pytest.param(HEAD % b"hello" + b"a" * 20, b" 200 ", id="a body that nobody reads"),
        pytest.param(GET + b"\r\n", b" 200 ", id="an empty line after an answer"),
        pytest.param(GET + GET[:20], b" 200 ", id="half a head after an answer"),
        pytest.param(GET, b" 200 ", id="nothing after an answer"),
    ],
)
def test_what_does_not_arrive_ends_its_connection(address: Address, sent: bytes, told: bytes | None) -> None:
    with socket.create_connection(address, timeout=PATIENCE) as wire:
        wire.sendall(sent)
        answer = rest_of(wire)
    assert told is None or answer == told or told in answer.split(b"\r\n")[0]


@pytest.mark.parametrize(
    "begun", [b"GET / HTTP/1.1\r\nX: ", HEAD % b"taken", HEAD % b"hello", GET + b"GET / HTTP/1.1\r\nX: "]
)
def test_a_byte_now_and_then_buys_no_time(address: Address, begun: bytes) -> None:
    assert is_cut_off(address, begun, pause_seconds=0.1, patience_seconds=PATIENCE)


def test_a_slow_body_that_goes_on_arrives(address: Address) -> None:
    """It takes four times as long as one that stands still would be waited for."""
    with socket.create_connection(address, timeout=PATIENCE) as wire:
        wire.sendall(HEAD % b"taken")
        for _piece in range(40):
            wire.sendall(b"a" * 50)
            time.sleep(4 * WINDOW / 40)
        assert wire.recv(65536).endswith(b"\r\n\r\n2000")


def test_an_answer_that_nobody_takes_ends_its_connection(address: Address, sending: Sending) -> None:
    with socket.create_connection(address, timeout=PATIENCE) as wire:
        wire.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sending.ended.wait(PATIENCE)
        assert len(rest_of(wire)) < WHOLE_ANSWER


def test_an_answer_that_is_taken_slowly_arrives(address: Address) -> None:
    with socket.create_connection(address, timeout=PATIENCE) as wire:
        wire.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = 0
        while piece := wire.recv(2**20):
            got += len(piece)
            if got % (8 * 2**20) < len(piece):
                time.sleep(WINDOW / 4)
        assert got > WHOLE_ANSWER
