"""One attempt of a job in the hands of this runner: what each of its steps needs.

Each step leaves on disk what the next one needs (`run_folder`), so another runner can go on where this one ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from core.domain.benchmark import Scoring
from core.domain.errors import NotFound, Unavailable
from core.domain.job import Claim, Job, Phase
from core.domain.limits import ResourceClass
from core.domain.submission import Submission
from core.ports.sandbox import SandboxSpec
from runner.job.context import JobContext
from runner.job.signals import Cancelled
from runner.job_log.writer import LogWriter
from runner.launch_settings import LaunchSettings
from runner.lease.lease import Lease
from runner.run_folder import RunFolder

ASIDE_SECONDS = 30.0
LOOK_SECONDS = 0.5

FoundT = TypeVar("FoundT")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """Lives as long as this runner holds the claim."""

    context: JobContext
    claim: Claim
    lease: Lease
    folder: RunFolder
    job_log: LogWriter
    settings: LaunchSettings | None
    """Those of the run's launch, past or to come; None if neither the run nor this process has any for its class."""

    @property
    def job(self) -> Job:
        return self.claim.job

    @property
    def known(self) -> LaunchSettings:
        """The run's settings, not what this process is set to by now. Raises NotFound where there are none."""
        if self.settings is None:
            raise NotFound("resource class", self.job.resource_class)
        return self.settings

    @property
    def limits(self) -> ResourceClass:
        return self.known.limits

    @property
    def launched(self) -> bool:
        """Whether the run can be gone on with, in the engine or from disk."""
        return self.folder.can_be_taken_over

    @property
    def scoring(self) -> Scoring:
        """How the run is scored: as its benchmark said at its launch."""
        return self.at_launch.scoring

    @property
    def at_launch(self) -> LaunchSettings:
        """The settings as stored at the launch, with what was known only then. Raises NotFound where there are none."""
        return self.folder.settings or self.known

    def sandbox_spec(self, submission: Submission, gpu: str | None = None) -> SandboxSpec:
        """The same for the runner that launches the run and for one that takes it over, which needs no data folder."""
        return SandboxSpec(
            site=self.context.site,
            job_id=self.job.job_id,
            attempt=self.job.attempt,
            claim=self.folder.claim,
            user_id=self.job.user_id,
            entrypoint=submission.entrypoint,
            config_file=submission.config_file,
            limits=self.limits,
            image=self.known.image,
            submission=self.context.ports.storage.submission_files(submission.submission_id),
            config=self.folder.config,
            gpu=gpu,
        )

    def check(self) -> None:
        """`Lease.check` for steps in which no container runs. Raises Cancelled besides."""
        self.lease.check()
        if self.lease.cancelled:
            raise Cancelled

    def confirm(self) -> None:
        """`Lease.confirm` for steps in which no container runs. Raises Cancelled besides."""
        self.lease.confirm()
        self.check()

    def awaited(self, read: Callable[[], FoundT]) -> FoundT:
        """Repeats a read that raises NotFound, for ASIDE_SECONDS: what was put aside or is being rewritten comes back.

        Raises NotFound, and what `check` raises.
        """
        until = time.monotonic() + ASIDE_SECONDS
        while True:
            try:
                return read()
            except NotFound:
                if time.monotonic() > until:
                    raise
            self.check()
            self.context.stopping.wait(LOOK_SECONDS)

    def note(self, *, phase: Phase | None = None, device: str | None = None) -> None:
        """Notes progress in the ledger; skipped while the ledger is away, since no run may fail for it."""
        try:
            self.context.ports.job_status.note(self.claim, phase=phase, device=device)
        except Unavailable as error:
            log.warning("progress not noted", job_id=self.job.job_id, phase=phase, error=str(error))
