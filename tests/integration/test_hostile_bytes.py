"""Bytes that no HTTP client would send: refused in our shape or cut off, and the next request is served."""

from __future__ import annotations

import json
import socket
import time
from typing import Self

import httpx2
import pytest

from gateway.problems import document as problems
from tests.running_gateway import Door

pytestmark = pytest.mark.integration


class Wire:
    """A bare connection: what no HTTP client would send."""

    def __init__(self, door: Door) -> None:
        self.socket = socket.create_connection(door.address, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, bytes]:
        """Status and body of what comes until the other side closes; (0, b"") when nothing comes."""
        data = b""
        while chunk := self._chunk():
            data += chunk
        if not data:
            return 0, b""
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def _chunk(self) -> bytes:
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
        (b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 60_000 + b"\r\n\r\n", 431),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_a_head_that_is_no_head_is_refused_in_our_shape(door: Door, head: bytes, status: int) -> None:
    with Wire(door) as wire:
        wire.send(head)
        found, body = wire.answer()
    assert found == status
    assert json.loads(body)["code"] == problems.KINDS[status].codes[0]


def test_a_flood_of_headers_is_cut_off_with_memory_flat(door: Door) -> None:
    """One header value without an end: the parser would keep all of it."""
    with Wire(door) as wire:
        wire.send(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
        sent = 0
        try:
            while sent < 50_000_000:
                wire.send(b"b" * 65536)
                sent += 65536
        except OSError:
            pass
    assert sent < 10_000_000


def test_a_body_cut_short_ends_in_silence_and_leaves_nothing(door: Door) -> None:
    """The sender is gone, so there is nobody to answer; the upload leaves no file (SUB-6)."""
    staging = door.root / "submissions" / ".staging"
    with Wire(door) as wire:
        head = (
            f"POST /submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.token}\r\nContent-Length: 100000\r\n"
        )
        wire.send(head.encode() + b"Content-Type: multipart/form-data; boundary=abc\r\n\r\n")
        wire.send(b'--abc\r\nContent-Disposition: form-data; name="files"; filename="main.py"\r\n\r\nprint(1)\r\n')
    time.sleep(0.5)
    assert not staging.exists() or not list(staging.iterdir())
    assert httpx2.get(f"{door.url}/health/live", trust_env=False).status_code == 200


def test_half_a_body_and_a_closed_pipe_do_not_disturb_the_next_request(door: Door) -> None:
    for _ in range(20):
        with Wire(door) as wire:
            wire.send(
                b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
            )
    assert httpx2.get(f"{door.url}/health/live", trust_env=False).status_code == 200
