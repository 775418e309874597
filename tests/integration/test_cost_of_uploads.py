"""DOR-2: no upload of at most 1 MB makes the gateway use more than 150 MB or 3 CPU seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import redis_url
from tests.hostile_uploads.forms import BOUNDARY, MOST_BYTES, every
from tests.running_gateway import Door, environment, gateway_process

pytestmark = [pytest.mark.integration, pytest.mark.alone]

MOST_MEMORY_MB = 150
MOST_CPU_SECONDS = 3.0
UPLOADS = every()
MEMORY = Path("/dev/shm")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A gateway process of its own, whose use of memory and CPU is read from /proc."""

    door: Door
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def megabytes(self, name: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024

    def forget_peak(self) -> None:
        """From here on VmHWM is the most since now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


@pytest.fixture(scope="module")
def measured() -> Iterator[Measured]:
    """Its submissions are in memory: what a disk's file system costs for 10,000 files is no cost of the gateway's.

    ext4 took 0.2 to 4 s of CPU time for them in a bare loop, the more the more files were removed just before.
    """
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield from _measured(Path(folder))


def _measured(root: Path) -> Iterator[Measured]:
    env = environment(root, redis_url=redis_url(), mlflow_url="http://127.0.0.1:9")
    with gateway_process(root, env) as (door, process):
        found = Measured(door=door, process=process)
        with door.client() as client:  # what only the first upload loads
            assert client.post("/submissions", files=[("files", ("main.py", b""))]).status_code in {201, 422}
        yield found


def log(line: str) -> None:
    """For `pytest -s`: the table in docs/performance.md."""
    sys.stdout.write(f"{line}\n")


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_of_a_megabyte_costs_little(measured: Measured, name: str) -> None:
    """Accepted or refused in words; CPU time, not wall time, so other work on the machine changes little."""
    body = UPLOADS[name]()
    assert len(body) <= MOST_BYTES + 60_000, len(body)
    measured.forget_peak()
    idle, before = measured.megabytes("VmRSS"), measured.cpu_seconds()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    with measured.door.client() as client:
        answer = client.post("/submissions", content=body, headers=headers, timeout=120.0)
    spent, over = measured.cpu_seconds() - before, measured.megabytes("VmHWM") - idle
    words = answer.json().get("detail", "stored")[:60]
    log(f"{name:55} {len(body):8} {answer.status_code} {over:6.1f} MB {spent:5.2f} s  {words}")
    assert answer.status_code in {201, 413, 422}, answer.text[:300]
    assert over <= MOST_MEMORY_MB
    assert spent <= MOST_CPU_SECONDS


def test_nothing_of_them_stays(measured: Measured) -> None:
    """Refused uploads leave no file, and staging is empty."""
    root = measured.door.root / "submissions"
    assert list((root / ".staging").iterdir()) == []
    assert [path for path in (root / ".incoming").iterdir() if path.is_file()] == []
