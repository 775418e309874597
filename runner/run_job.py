"""A claimed job: one attempt, and what becomes of it when the platform fails or the runner must stop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.domain.errors import LeadersboardError, LeaseLost, NotFound, Unavailable
from core.domain.job import MAX_ATTEMPTS, Claim, JobState, Outcome
from core.domain.verdict import FailureReason
from runner.attempt import Attempt, HandOver
from runner.heartbeat import Heartbeat
from runner.log_writer import LogWriter
from runner.workbench import Workbench

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunJob:
    """The runner's one use case."""

    bench: Workbench

    def __call__(self, claim: Claim) -> None:
        """Run a claimed job to its end. Never raises for what a submission does."""
        words = log.bind(job_id=claim.job_id, attempt=claim.job.attempt, user_id=claim.job.user_id)
        words.info("claimed")
        with (
            LogWriter(self.bench.ports.storage.log_path(claim.job_id), **self.bench.log_limits) as job_log,
            Heartbeat(self.bench.ports.job_status, claim, lease_seconds=self.bench.lease_seconds) as pulse,
            self._folder(claim) as folder,
        ):
            attempt = Attempt(parts=self.bench, claim=claim, job_log=job_log, pulse=pulse, folder=folder)
            try:
                attempt.to_its_end()
            except LeaseLost:
                words.warning("lease lost; dropped")
            except HandOver:
                job_log.say("This runner is stopping; another one runs the job again.")
                self.bench.ports.job_status.hand_back(claim, count_attempt=False)
            except (Unavailable, NotFound, OSError) as error:
                words.error("platform failed", error=str(error), exc_info=not isinstance(error, LeadersboardError))
                self._platform_failed(claim, job_log, error)

    def _platform_failed(self, claim: Claim, job_log: LogWriter, error: Exception) -> None:
        """A failing platform is nobody's verdict: again, or to its end with the user's quota given back."""
        if claim.job.attempt < MAX_ATTEMPTS:
            job_log.say(f"The platform failed in attempt {claim.job.attempt}; the job is run again.")
            self.bench.ports.job_status.hand_back(claim, count_attempt=True)
            return
        message = f"The platform failed {MAX_ATTEMPTS} times and gave up. It was not your submission's fault. {error}"
        job_log.say(message)
        failed = Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, message=message, refund=True)
        self.bench.ports.job_status.finish(claim, failed)

    @contextmanager
    def _folder(self, claim: Claim) -> Iterator[Path]:
        """The job's own folder, shared with the engine; nothing of it outlives the attempt."""
        folder = self.bench.job_root / claim.job_id
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "config").mkdir(parents=True)
        (folder / "artifacts").mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
