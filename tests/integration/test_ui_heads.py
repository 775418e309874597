"""The UI's two ports hold no head of any size, and none that does not arrive, nor a body."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.slow_client import Address, is_cut_off
from tests.tracked_site import ui_process

pytestmark = pytest.mark.integration

FIELD = b"X-Long: " + b"a" * 8000 + b"\r\n"
FIELDS = 500  # 4 MB
IMPATIENT = """
from ui import serve
from wire import pace
pace.HEAD_SECONDS = pace.BODY_SECONDS = 1.0
serve.main([])
"""
FORM = b"Host: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\n"


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Address]]:
    with ui_process(tmp_path_factory.mktemp("ui"), "http://127.0.0.1:1", start=("-c", IMPATIENT)) as urls:
        parts = [urlsplit(url) for url in urls]
        yield [(part.hostname or "", part.port or 0) for part in parts]


@pytest.mark.parametrize("which", [0, 1], ids=["pages", "mlflow"])
def test_a_head_without_end_is_cut_off(ports: list[Address], which: int) -> None:
    sent = 0
    with socket.create_connection(ports[which], timeout=30) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        try:
            for _field in range(FIELDS):
                wire.sendall(FIELD)
                sent += 1
            answer = wire.recv(65536)
        except ConnectionError:  # refused and closed while it was being sent
            return
    assert answer.startswith(b"HTTP/1.1 400 "), (sent, answer[:100])


@pytest.mark.parametrize("which", [0, 1], ids=["pages", "mlflow"])
def test_an_ordinary_head_is_answered(ports: list[Address], which: int) -> None:
    with socket.create_connection(ports[which], timeout=30) as wire:
        cookie = b"Cookie: a=" + b"b" * 6000 + b"\r\n"
        wire.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + cookie + b"Connection: close\r\n\r\n")
        assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("which", [0, 1], ids=["pages", "mlflow"])
@pytest.mark.parametrize(
    "begun",
    [b"POST /login HTTP/1.1\r\n" + FORM, b"POST /nowhere HTTP/1.1\r\n" + FORM, b"GET /health/live HTTP/1.1\r\nX: "],
    ids=["a body for the sign-in", "a body for nobody", "a head"],
)
def test_what_comes_a_byte_at_a_time_is_cut_off(ports: list[Address], which: int, begun: bytes) -> None:
    assert is_cut_off(ports[which], begun, pause_seconds=0.2, patience_seconds=30)
