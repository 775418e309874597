"""Refused uploads, one after another, leave the status calls of others where they were (PER-3)."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import redis_url
from tests.hostile_uploads.forms import BOUNDARY, form_of
from tests.hostile_uploads.tars import TARS
from tests.hostile_uploads.zips import ZIPS
from tests.running_gateway import Door, environment, gateway_process

pytestmark = [pytest.mark.integration, pytest.mark.alone]

ASKED = 150
PAUSE_SECONDS = 0.03
REFUSED = [
    TARS["one 64 KB global header and 4,000 members"], TARS["600 members with 64 KB of records each"],
    TARS["10,001 members"], TARS["links with long targets"], TARS["900 MB of zeros in one file"],
    ZIPS["19,000 entries where the end says one"], ZIPS["9,000 entries on one content of 90 MB"],
]  # fmt: skip
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def p95_ms(door: Door, job_id: str) -> float:
    """Of so many status calls of another user, a short pause after each."""
    times = []
    with door.client() as client:
        for _call in range(ASKED):
            started = time.perf_counter()
            assert client.get(f"/jobs/{job_id}/status").status_code == 200
            times.append((time.perf_counter() - started) * 1000)
            time.sleep(PAUSE_SECONDS)
    return statistics.quantiles(times, n=20)[18]


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[list[int]]:
    """`work` again and again in a thread; the list counts how often."""
    count, ended = [0], threading.Event()

    def repeat() -> None:
        while not ended.is_set():
            work()
            count[0] += 1

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield count
    finally:
        ended.set()
        thread.join()


def a_job(door: Door) -> str:
    files = [("files", ("main.py", b"")), ("files", ("config.yaml", b"{}\n"))]
    with door.client() as client:
        submission = client.post("/submissions", files=files).json()["submission_id"]
        return str(client.post("/jobs", json={"submission_id": submission}).json()["job_id"])


@pytest.mark.parametrize("refusals_per_second", [0.28, 1000.0], ids=["a thousand in an hour", "without a pause"])
def test_status_stays_where_it_was(tmp_path: Path, mlflow_url: str, refusals_per_second: float) -> None:
    """The bound is generous, since other work shares the machine; docs/performance.md has what was measured."""
    bodies = [form_of(make()) for make in REFUSED]
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url=mlflow_url)
    with gateway_process(tmp_path, env) as (door, _process), door.client(door.other_token) as bad:
        job_id = a_job(door)
        p95_ms(door, job_id)  # the first calls load what later ones find
        alone = p95_ms(door, job_id)
        turn = iter(range(10**9))

        def refused() -> None:
            body = bodies[next(turn) % len(bodies)]
            assert bad.post("/submissions", content=body, headers=FORM).status_code in {413, 422}
            time.sleep(max(0.0, 1 / refusals_per_second - 0.001))

        with beside(refused) as count:
            together = p95_ms(door, job_id)
    sys.stdout.write(f"status P95 alone {alone:.1f} ms, beside {count[0]} refused uploads {together:.1f} ms\n")
    assert together <= max(10 * alone, 200.0)
