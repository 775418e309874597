"""The UI's two ports hold no head of any size: a sender of headers without end is cut off."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.tracked_site import ui_process

pytestmark = pytest.mark.integration

FIELD = b"X-Long: " + b"a" * 8000 + b"\r\n"
FIELDS = 500  # 4 MB


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[str, int]]]:
    with ui_process(tmp_path_factory.mktemp("ui"), "http://127.0.0.1:1") as urls:
        parts = [urlsplit(url) for url in urls]
        yield [(part.hostname or "", part.port or 0) for part in parts]


@pytest.mark.parametrize("which", [0, 1], ids=["pages", "mlflow"])
def test_a_head_without_end_is_cut_off(ports: list[tuple[str, int]], which: int) -> None:
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
def test_an_ordinary_head_is_answered(ports: list[tuple[str, int]], which: int) -> None:
    with socket.create_connection(ports[which], timeout=30) as wire:
        cookie = b"Cookie: a=" + b"b" * 6000 + b"\r\n"
        wire.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n" + cookie + b"Connection: close\r\n\r\n")
        assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")
