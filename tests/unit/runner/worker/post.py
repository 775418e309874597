"""One runner on twins, with a job that waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from core.domain.folders import FolderState
from core.domain.job import Claim, JobRequest
from core.domain.limits import UserLimits
from core.domain.runners import ClassFigures, RunnerReport
from runner.dead_letters import DeadLetterWriter
from runner.worker.actor import RunNext
from runner.worker.availability import Availability
from tests.process_sandbox import ProcessEngine
from tests.twins.dead_letters import MemoryDeadLetters
from tests.twins.job_queue import MemoryJobQueue
from tests.twins.job_status import MemoryJobStatus
from tests.twins.runners import MemoryRunners


@dataclass(kw_only=True)
class Post:
    """One runner named box:1 on twins, with a job of ann's that waits."""

    root: Path
    jobs: MemoryJobStatus = field(default_factory=MemoryJobStatus)
    queue: MemoryJobQueue = field(default_factory=MemoryJobQueue)
    runners: MemoryRunners = field(default_factory=MemoryRunners)
    letters: MemoryDeadLetters = field(default_factory=MemoryDeadLetters)
    ran: list[str] = field(default_factory=list)
    states: list[FolderState] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = ProcessEngine(self.root / "engine")
        self.availability = Availability(
            name="box:1", host="here", runners=self.runners, check_engine=self.engine.check,
            folders=lambda: self.states, min_free_bytes=0, draining=threading.Event(),
        )  # fmt: skip
        request = JobRequest(submission_id="s", user_id="ann", resource_class="small", benchmark="b")
        self.job_id = self.jobs.admit(request, UserLimits()).job.job_id

    def run_next(self, run_job: Callable[[Claim], None] | None = None) -> None:
        RunNext(
            job_status=self.jobs, job_queue=self.queue,
            run_job=run_job or (lambda claim: self.ran.append(claim.job_id)), lease_seconds=30, running_limit=1,
            host="here", draining=self.availability.draining, availability=self.availability,
            letters=DeadLetterWriter(dead_letters=self.letters, process="box:1"),
        )("small")  # fmt: skip

    def another(self, **changes: object) -> None:
        """A second runner beside this one."""
        small = ClassFigures(name="small", cpus=1, memory_bytes=1, gpus="auto", timeout_seconds=1)
        known = {"name": "box:2", "host": "there", "version": "1", "since": datetime.now(UTC), "state": "ready"}
        self.runners.publish(RunnerReport.model_validate(known | {"classes": (small,)} | changes))
