"""An upload that ends before its end, whichever side it was, leaves no submission and no file (SUB-6)."""

from __future__ import annotations

import io
import signal
import socket
import time
import zipfile
from pathlib import Path

import pytest

from core.adapters.files.folder_look import MARK
from tests.conftest import redis_url
from tests.running_gateway import Door, environment, gateway_process, gateway_thread

pytestmark = pytest.mark.integration

HALF = 20_000_000


def head(door: Door, length: int) -> bytes:
    lines = (
        "POST /submissions HTTP/1.1", "Host: x", f"Authorization: Bearer {door.token}", f"Content-Length: {length}",
        "Content-Type: multipart/form-data; boundary=abc",
    )  # fmt: skip
    part = '--abc\r\nContent-Disposition: form-data; name="files"; filename="main.py"\r\n\r\n'
    return "\r\n".join([*lines, "", part]).encode()


def everything_below(folder: Path) -> list[str]:
    """Files, and folders that are not there from the start."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.name not in {".staging", ".incoming", MARK}
    )


def test_a_gateway_killed_in_the_middle_of_an_upload_leaves_nothing(tmp_path: Path, mlflow_url: str) -> None:
    """kill -9 while the bytes arrive; after the next start there is no submission and no stray file."""
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url=mlflow_url)
    with gateway_process(tmp_path, env) as (door, process), socket.create_connection(door.address) as wire:
        wire.sendall(head(door, 2 * HALF) + b"#" * HALF)
        time.sleep(0.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with gateway_process(tmp_path, env) as (door, _), door.client() as client:
        assert everything_below(tmp_path / "submissions") == []
        files = [("files", ("main.py", b"")), ("files", ("config.yaml", b""))]
        assert client.post("/submissions", files=files).status_code == 201


def test_a_gateway_killed_while_it_unpacks_leaves_nothing_after_the_next_start(tmp_path: Path, mlflow_url: str) -> None:
    """kill -9 between the first file in the staging folder and the rename."""
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url=mlflow_url)
    staging = tmp_path / "submissions" / ".staging"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("main.py", "config.yaml"):
            archive.writestr(name, "")
        for number in range(5000):
            archive.writestr(f"data/{number}.txt", "x" * 1000)
    body = packed.getvalue().join([b"", b"\r\n--abc--\r\n"])
    with gateway_process(tmp_path, env) as (door, process), socket.create_connection(door.address) as wire:
        intro = head(door, 0).split(b"\r\n\r\n")[1].replace(b"main.py", b"code.zip") + b"\r\n\r\n"
        wire.sendall(head(door, len(intro) + len(body)).split(b"\r\n\r\n")[0] + b"\r\n\r\n" + intro + body)
        await_file_below(staging)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert list(staging.iterdir()), "the upload was over before the kill"
    with gateway_process(tmp_path, env):
        assert everything_below(tmp_path / "submissions") == []


def await_file_below(folder: Path) -> None:
    deadline = time.monotonic() + 120
    while not any(path.is_file() for path in folder.rglob("*")):
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_body_that_comes_too_slowly_is_408(tmp_path: Path, mlflow_url: str) -> None:
    """For uploads and for JSON; the connection ends with it, and nothing stays."""
    limits = '{"body_seconds": 0.5, "upload_seconds": 1.0}'
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url=mlflow_url, REQUEST=limits)
    json_head = "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    with gateway_thread(tmp_path, env) as door:
        for sent in (head(door, HALF), json_head.encode()):
            with socket.create_connection(door.address, timeout=120) as wire:
                wire.sendall(sent)
                started = time.monotonic()
                answer = b"".join(iter(lambda wire=wire: wire.recv(65536), b""))  # type: ignore[misc]
            assert b" 408 " in answer.split(b"\r\n")[0]
            assert b'"code":"request_timeout"' in answer
            assert time.monotonic() - started < 25
        assert everything_below(tmp_path / "submissions") == []


def test_a_head_that_never_ends_is_told_and_closed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wire.pace.HEAD_SECONDS", 0.5)
    with socket.create_connection(door.address, timeout=120) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert b" 408 " in wire.recv(65536)
        assert wire.recv(65536) == b""
    with socket.create_connection(door.address, timeout=120) as silent:
        assert silent.recv(65536) == b""
