"""A claimed job: one attempt, and what becomes of it when the platform fails or the runner must stop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.domain.errors import LeadersboardError, LeaseLost
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
        try:
            with self._attempt(claim) as attempt:
                self._run(attempt)
        except LeaseLost:
            words.warning("lease lost; dropped")

    @contextmanager
    def _attempt(self, claim: Claim) -> Iterator[Attempt]:
        """Everything an attempt needs, for as long as it lasts."""
        ports = self.bench.ports
        with (
            Heartbeat(ports.job_status, claim, lease_seconds=self.bench.lease_seconds) as pulse,
            LogWriter(ports.storage.log_path(claim.job_id), **self.bench.log_limits) as job_log,
            self._folder(claim, pulse) as folder,
        ):
            yield Attempt(parts=self.bench, claim=claim, job_log=job_log, pulse=pulse, folder=folder)

    def _run(self, attempt: Attempt) -> None:
        try:
            attempt.to_its_end()
        except LeaseLost:
            raise
        except HandOver:
            attempt.job_log.say("This runner is stopping; another one runs the job again.")
            self._hand_back(attempt, count_attempt=False)
        except (LeadersboardError, OSError) as error:
            expected = isinstance(error, LeadersboardError)
            words = log.bind(job_id=attempt.job.job_id, error=str(error))
            words.warning("platform failed", exc_info=not expected)
            self._platform_failed(attempt)

    def _platform_failed(self, attempt: Attempt) -> None:
        """A failing platform is nobody's verdict: again, or to its end with the user's quota given back."""
        if attempt.job.attempt < MAX_ATTEMPTS:
            attempt.job_log.say(f"The platform failed in attempt {attempt.job.attempt}; the job is run again.")
            self._hand_back(attempt, count_attempt=True)
            return
        message = f"The platform failed {MAX_ATTEMPTS} times and gave up. It was not your submission's fault."
        attempt.end(Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, message=message, refund=True))

    def _hand_back(self, attempt: Attempt, *, count_attempt: bool) -> None:
        attempt.tell(lambda: self.bench.ports.job_status.hand_back(attempt.claim, count_attempt=count_attempt))

    @contextmanager
    def _folder(self, claim: Claim, pulse: Heartbeat) -> Iterator[Path]:
        """This claim's own folder, shared with the engine; nothing of it or of earlier claims outlives it."""
        pulse.refresh()
        pulse.check()  # only who holds the job may clear away what earlier holders left
        for left in self.bench.job_root.glob(f"{claim.job_id}-*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = self.bench.job_root / f"{claim.job_id}-{claim.token[:8]}"
        (folder / "config").mkdir(parents=True)
        (folder / "artifacts").mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
