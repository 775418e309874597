"""Measures the memory of ten concurrent uploads of 100 MB: the gateway's resident size over idle, sampled from outside.

.venv/bin/python -m measurements.upload_memory --redis URL/10 --mlflow http://localhost:15011
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Self

from tests.running_gateway import Door, environment, gateway_process

UPLOADS = 10
FILE_BYTES = 99_990_000
"""With its part header just below the 100 MB limit of a request."""
TARGET_MB = 150
PIECE = b"#" * 63 + b"\n"


def body() -> Iterator[bytes]:
    yield b'--bench\r\nContent-Disposition: form-data; name="files"; filename="main.py"\r\n\r\n'
    block = PIECE * 1024
    for _ in range(FILE_BYTES // len(block)):
        yield block
    yield (
        b"\r\n--bench\r\n"
        b'Content-Disposition: form-data; name="files"; filename="config.yaml"\r\n\r\n{}\r\n--bench--\r\n'
    )


def upload(door: Door) -> int:
    with door.client() as client:
        headers = {"Content-Type": "multipart/form-data; boundary=bench"}
        return client.post("/submissions", content=body(), headers=headers, timeout=300).status_code


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Peak:
    """The largest resident size of a process while the context lasts."""

    def __init__(self, pid: int) -> None:
        self.mb = 0.0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.mb = max(self.mb, resident_mb(self._pid))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--mlflow", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-upload-") as folder:
        root = Path(folder)
        env = environment(root, redis_url=options.redis, mlflow_url=options.mlflow)
        with gateway_process(root, env) as (door, process):
            time.sleep(2)
            idle, started = resident_mb(process.pid), time.perf_counter()
            with Peak(process.pid) as peak, ThreadPoolExecutor(UPLOADS) as people:
                statuses = list(people.map(upload, [door] * UPLOADS))
            seconds = time.perf_counter() - started
    print(f"{date.today()}: {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}\n")  # noqa: DTZ011
    print("| uploads | answers | seconds | idle MB | peak MB | over idle MB | target |\n|---|---|---|---|---|---|---|")
    print(f"| {UPLOADS} × {FILE_BYTES / 1e6:.0f} MB | {set(statuses)} | {seconds:.1f} | {idle:.0f} | {peak.mb:.0f} "
          f"| {peak.mb - idle:.0f} | < {TARGET_MB} |")  # fmt: skip


if __name__ == "__main__":
    main()
