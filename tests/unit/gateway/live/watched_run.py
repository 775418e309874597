"""A running job with a log, and the hub that streams it to viewers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest

import gateway.live.log_stream
from core.adapters.files.storage import FilesystemStorage
from core.domain.errors import Unavailable
from core.domain.job import Claim, JobRequest, JobState, Outcome
from core.domain.limits import UploadLimits, UserLimits
from core.ports.storage import LogSlice
from gateway.live.log_stream import (
    Ended,
    LogHub,
)
from tests.twins.job_status import MemoryJobStatus


class CountingStorage(FilesystemStorage):
    """Counts reads, and those that found something; can be away."""

    reads = 0
    grown = 0
    away = False

    def read_log_from(self, job_id: str, offset: int, *, max_bytes: int = 1024 * 1024) -> LogSlice:
        self.reads += 1
        if self.away:
            raise Unavailable("The storage")
        found = super().read_log_from(job_id, offset, max_bytes=max_bytes)
        self.grown += found.next_offset > offset
        return found


@dataclass
class Run:
    """A running job, its log and the hub that its viewers come to."""

    jobs: MemoryJobStatus
    storage: CountingStorage
    claim: Claim
    hub: LogHub

    @property
    def job_id(self) -> str:
        return self.claim.job_id

    def prints(self, raw: bytes) -> None:
        with self.storage.log_path(self.job_id).open("ab") as log:
            log.write(raw)

    def ends(self) -> None:
        self.jobs.finish(self.claim, Outcome(state=JobState.COMPLETED))

    async def all_from(self, offset: int) -> tuple[str, list[LogSlice]]:
        """Everything that a viewer sees until the end."""
        pieces: list[LogSlice] = []
        async with aclosing(self.hub.follow(self.job_id, offset)) as events:
            async for event in events:
                if isinstance(event, Ended):
                    assert event.job.state is JobState.COMPLETED
                    assert event.offset == (pieces[-1].next_offset if pieces else offset)
                else:
                    pieces.append(event)
        return "".join(piece.text for piece in pieces), pieces


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not check():  # noqa: ASYNC110 - the hub sets no event for tests
            await asyncio.sleep(0.005)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(gateway.live.log_stream, "PERIOD_SECONDS", 0.01)
    (tmp_path / "logs").mkdir()
    storage = CountingStorage(upload_root=tmp_path, log_root=tmp_path / "logs", limits=UploadLimits(), min_free_bytes=0)
    jobs = MemoryJobStatus()
    jobs.admit(JobRequest(submission_id="5" * 32, user_id="ada", resource_class="small", benchmark="b"), UserLimits())
    claim = jobs.claim("small", worker="w", lease_seconds=60, running_limit=1)
    assert claim
    return Run(jobs, storage, claim, LogHub(jobs, storage))


async def take(
    events: AsyncGenerator[LogSlice | Ended], count: int, *, into: list[LogSlice | Ended] | None = None
) -> list[LogSlice | Ended]:
    found = [] if into is None else into
    async with aclosing(events):
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found
