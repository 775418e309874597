"""What a disk does to the append-only file: a torn end is cut off, damage before it is never passed over (R12)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.redis.connection import connect
from core.adapters.redis.job_status import RedisJobStatus
from core.domain.errors import NotFound
from core.domain.job import JobRequest, JobState
from core.domain.limits import UserLimits
from tests.docker.own_parts import OwnPart, own_redis

pytestmark = pytest.mark.docker

JOBS = 20
MEND = "for file in /data/appendonlydir/*.incr.aof; do echo y | redis-check-aof --fix $file; done"
"""As docs/operations.md has it."""


@pytest.fixture
def data(engine_folder: Path) -> Path:
    """Redis's folder."""
    folder = engine_folder / "redis"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.fixture
def ledger_server(fresh_name: str, data: Path) -> Iterator[OwnPart]:
    with own_redis(fresh_name, data=data) as server:
        yield server


def admitted(server: OwnPart) -> list[str]:
    """Some jobs that were accepted; the server is killed after the last."""
    client = connect(server.url)
    ledger = RedisJobStatus(client)
    requests = [
        JobRequest(submission_id=f"{number:032x}", user_id="ann", resource_class="small", benchmark="synthetic")
        for number in range(JOBS)
    ]
    for request in requests:
        ledger.admit(request, UserLimits(jobs_per_hour=1000, queue_when_over=True))
    client.close()
    server.kill()
    return [request.job_id for request in requests]


def written(data: Path) -> Path:
    """The file that is appended to."""
    (found,) = (data / "appendonlydir").glob("*.incr.aof")
    return found


def test_a_torn_end_costs_the_last_command_alone(ledger_server: OwnPart, data: Path) -> None:
    """As after a power cut in the middle of a write: Redis starts, and what was written before is there."""
    *kept, last = admitted(ledger_server)
    file = written(data)
    with file.open("r+b") as content:
        content.truncate(file.stat().st_size - 7)
    ledger_server.start()
    client = connect(ledger_server.url)
    ledger = RedisJobStatus(client)
    assert [ledger.get(job_id).state for job_id in kept] == [JobState.PENDING] * len(kept)
    with pytest.raises(NotFound):
        ledger.get(last)
    client.close()


def test_damage_before_the_end_is_not_passed_over(ledger_server: OwnPart, data: Path) -> None:
    """Redis refuses to start, rather than go on without the jobs behind it, until an admin has it cut off."""
    first, *_others = admitted(ledger_server)
    file = written(data)
    content = file.read_bytes()
    with file.open("r+b") as damaged:  # where a command begins: inside a value nobody would see it
        damaged.seek(content.index(b"\r\n*", len(content) // 2))
        damaged.write(b"\0" * 64)
    with pytest.raises(AssertionError, match="Bad file format reading the append only file"):
        ledger_server.start(patience_seconds=5)
    assert ledger_server.ended_by_itself()
    assert "Successfully truncated" in ledger_server.beside(MEND)
    ledger_server.start()
    client = connect(ledger_server.url)
    ledger = RedisJobStatus(client)
    assert ledger.get(first).state is JobState.PENDING
    client.close()
