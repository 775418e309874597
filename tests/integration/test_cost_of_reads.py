"""DOR-2: what somebody stored as large as it may be costs little to read, however often at once."""

from __future__ import annotations

import io
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.conftest import redis_url
from tests.integration.test_cost_of_uploads import MEMORY, MOST_MEMORY_MB, Measured, log
from tests.running_gateway import environment, gateway_process

pytestmark = [pytest.mark.integration, pytest.mark.alone]

FILES = 9_500
AT_ONCE = 40
RECEIVERS = 200


@pytest.fixture(scope="module")
def measured() -> Iterator[Measured]:
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        env = environment(Path(folder), redis_url=redis_url(), mlflow_url="http://127.0.0.1:9")
        with gateway_process(Path(folder), env) as (door, process):
            yield Measured(door=door, process=process)


@pytest.fixture(scope="module")
def largest(measured: Measured) -> str:
    """The id of a submission with as many names, each as long, as one may have."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for number in range(FILES):
            archive.addfile(tarfile.TarInfo(f"{number:04d}{'n' * 210}.py"))
    files = [("files", ("main.py", b"")), ("files", ("config.yaml", b"")), ("files", ("a.tar.gz", packed.getvalue()))]
    with measured.door.client() as client:
        metadata = '{"a": "' + "x" * 60_000 + '"}'
        answer = client.post("/submissions", files=files, data={"metadata": metadata})
    assert answer.status_code == 201, answer.text[:500]
    found: str = answer.json()["submission_id"]
    return found


@pytest.mark.parametrize("path", ["/submissions/{}", "/submissions/{}/archive", "/submissions?limit=200"])
def test_a_large_submission_costs_little_to_read(measured: Measured, largest: str, path: str) -> None:
    address = path.format(largest)
    with measured.door.client() as client:
        assert client.get(address).status_code == 200
    measured.forget_peak()
    idle = measured.megabytes("VmRSS")

    def read(_number: int) -> int:
        with httpx2.Client(base_url=measured.door.url, headers={"Authorization": f"Bearer {measured.door.token}"},
                           timeout=120, trust_env=False) as client:  # fmt: skip
            return client.get(address).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = set(pool.map(read, range(AT_ONCE)))
    used = measured.megabytes("VmHWM") - idle
    log(f"| {path} | {used:.0f} MB |")
    assert statuses <= {200, 429, 503}
    assert used <= MOST_MEMORY_MB


def test_answers_that_nobody_takes_are_few(measured: Measured, largest: str) -> None:
    """They stay in memory until they are taken; one more is told to come later."""
    ask = (
        f"GET /submissions/{largest} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {measured.door.token}\r\n\r\n"
    ).encode()
    measured.forget_peak()
    idle = measured.megabytes("VmRSS")
    with ExitStack() as stack:
        wires = [stack.enter_context(socket.socket()) for _receiver in range(RECEIVERS)]
        for wire in wires:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # or the kernel takes much of an answer
            wire.settimeout(60)
            wire.connect(measured.door.address)
            wire.sendall(ask)
        begins = [wire.recv(200, socket.MSG_PEEK | socket.MSG_WAITALL) for wire in wires]
    used = measured.megabytes("VmHWM") - idle
    statuses = {begin.split()[1] for begin in begins}
    log(f"| {RECEIVERS} that take nothing | {used:.0f} MB |")
    assert statuses == {b"200", b"429"}
    assert used <= MOST_MEMORY_MB
