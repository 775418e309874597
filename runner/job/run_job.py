"""Runs a claimed job: holds its claim, takes its steps in order, and decides what a step that is left means.

prepare and run (`launch`, `watch`), collect (`collect`), judge (`core/domain/verdict`, `score`), record (`record`),
release (`release`).
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from core.domain.errors import LeadersboardError, LeaseLost, RunLost, Unavailable
from core.domain.job import RUNNER_GONE, Claim, Outcome
from core.domain.submission import Submission
from core.domain.verdict import RunRecord, Verdict
from core.ports.sandbox import Sandbox
from runner.job.assess import assessed
from runner.job.attempt import Attempt
from runner.job.collect import collect
from runner.job.context import JobContext
from runner.job.launch import WITHOUT_RUN, launched, verdict_without_run
from runner.job.record import record_result
from runner.job.release import fail, finish, finish_without_class, hand_back, hand_over, leave_result, let_go, put_off
from runner.job.score import scored
from runner.job.signals import Cancelled, NeverStarted, ResultWaits
from runner.job.watch import RunMonitor
from runner.job_log.earlier import set_earlier_aside
from runner.job_log.writer import LogWriter
from runner.launch_settings import LogLimits
from runner.lease.lease import HandOver, Lease
from runner.run_folder import RunFolder, run_name

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunJob:
    """The runner's one use case."""

    context: JobContext

    def __call__(self, claim: Claim) -> None:
        """Brings a claimed job to its end, or leaves it so that another runner can. No run makes it raise."""
        words = log.bind(job_id=claim.job_id, attempt=claim.job.attempt, user_id=claim.job.user_id)
        words.info("claimed", takeover=claim.job.sandbox is not None)
        try:
            self._hold(claim)
        except LeaseLost:
            words.warning("lease lost; dropped")
        except HandOver:
            words.warning("ledger does not answer; left to the next runner")

    def _hold(self, claim: Claim) -> None:
        context = self.context
        lease = Lease(context.ports.job_status, claim, lease_seconds=context.lease_seconds, stopping=context.stopping)
        try:
            with context.claim_locks.holding(claim), lease:
                lease.confirm()  # only the runner that holds the job may take its log
                self._take_up(claim, lease)
        except OSError as error:  # of the lock, mostly
            if not context.storage_faults.hold_up(claim.job_id, error):
                raise
            log.warning("no storage for a job", job_id=claim.job_id, error=str(error))
            let_go(context, claim)

    def _take_up(self, claim: Claim, lease: Lease) -> None:
        if fault := self.context.storage_faults.now():  # it appeared after the claim
            put_off(self.context, claim, fault)
            return
        try:
            attempt = self._opened(claim, lease)
        except OSError as error:
            if not self.context.storage_faults.hold_up(claim.job_id, error):
                raise
            put_off(self.context, claim, str(error))
            return
        with attempt.job_log:
            self._bring_to_its_end(attempt)

    def _opened(self, claim: Claim, lease: Lease) -> Attempt:
        """The attempt with its folder and its log open."""
        folder = self._folder(claim)
        settings = folder.settings or self.context.settings_for(claim.job)
        self._clear_log(claim, folder, lease)
        job_log = self._log(claim, folder, lease, settings.log if settings else self.context.log_limits)
        return Attempt(
            context=self.context, claim=claim, lease=lease, folder=folder, job_log=job_log, settings=settings
        )

    def _folder(self, claim: Claim) -> RunFolder:
        """The folder of the run that is taken over, else a new one. The sweeper removes those of earlier runs."""
        job, root = claim.job, self.context.job_root
        left = RunFolder(path=root / run_name(job))
        if left.can_be_taken_over or left.went_with_the_machine:
            return left
        return RunFolder.make(root / f"{job.job_id}-{claim.mark}")

    def _clear_log(self, claim: Claim, folder: RunFolder, lease: Lease) -> None:
        """Notes the log in the ledger before anything is written: from then on the log of this id is this job's."""
        ports = self.context.ports
        resumed = folder.can_be_taken_over or folder.went_with_the_machine
        if set_earlier_aside(ports.storage.log_path(claim.job_id), claim.job, resumed=resumed):
            log.warning("log of an earlier job set aside", job_id=claim.job_id)
        if not claim.job.logged:
            lease.retrying(lambda: ports.job_status.note(claim, logged=True))

    def _log(self, claim: Claim, folder: RunFolder, lease: Lease, limits: LogLimits) -> LogWriter:
        return LogWriter(
            self.context.ports.storage.log_path(claim.job_id),
            position=folder.position,
            trusted=folder.elapsed_seconds() is not None,  # it outlives no restart of the machine
            confirm=lease.confirm,
            **limits.model_dump(),
        )

    def _bring_to_its_end(self, attempt: Attempt) -> None:
        try:
            if attempt.settings is not None:
                self._take_steps(attempt)
            else:
                finish_without_class(attempt)
        except LeaseLost:
            raise
        except HandOver:
            hand_over(attempt)
        except NeverStarted:
            hand_back(attempt, count_attempt=False, why=RUNNER_GONE)
        except ResultWaits as waits:
            leave_result(attempt, waits)
        except (LeadersboardError, OSError) as error:
            fail(attempt, error)

    def _take_steps(self, attempt: Attempt) -> None:
        """Takes the steps in order; those that an earlier runner of this attempt has taken are skipped."""
        storage = self.context.ports.storage
        try:
            submission = attempt.awaited(lambda: storage.get_submission(attempt.job.submission_id))
            record, sandbox = self._run(attempt, submission)
        except WITHOUT_RUN as error:
            finish(attempt, Outcome.of(verdict_without_run(error, attempt), peaks={}))
            return
        verdict = attempt.at_launch.verdict(record)
        if sandbox is not None:
            sandbox.remove(failed=not verdict.passed and not verdict.cancelled)
            self.context.gpus.look_after()
        result = None
        if verdict.passed:
            try:
                verdict = scored(attempt, verdict, submission)
                if verdict.passed:
                    verdict = assessed(attempt, verdict, record)
                    result = record_result(attempt, verdict, record, submission)
            except Cancelled:
                verdict = Verdict(cancelled=True, message="Cancelled before it was recorded.")
        finish(
            attempt, Outcome.of(verdict, peaks=record.peaks, run_id=(result.run_id or None) if result else None), result
        )

    def _run(self, attempt: Attempt, submission: Submission) -> tuple[RunRecord, Sandbox | None]:
        """The record to judge, and what is still in the engine of the run, to be removed once it is judged.

        If the engine lost the run, what another runner harvested meanwhile counts. Raises RunLost if there is nothing.
        """
        try:
            record = self._harvested(attempt)
            return (record, None) if record is not None else self._carried_out(attempt, submission)
        except RunLost:
            attempt.lease.confirm()
            if (record := self._harvested(attempt)) is None:
                raise
            return record, None

    def _harvested(self, attempt: Attempt) -> RunRecord | None:
        """The record that an earlier runner read, if any; then removes what the engine still has of the run."""
        record = attempt.folder.harvested()
        if record is not None:
            self.context.engine.remove_leftovers(attempt.job.job_id, claim=attempt.folder.claim)
        return record

    def _carried_out(self, attempt: Attempt, submission: Submission) -> tuple[RunRecord, Sandbox]:
        sandbox = launched(attempt, submission)
        try:
            record = RunMonitor(attempt=attempt, sandbox=sandbox).to_its_end()
            return collect(attempt, sandbox, record, submission), sandbox
        except (LeaseLost, HandOver, Unavailable, OSError):  # the run goes on by itself, or waits as it is
            sandbox.detach()
            raise
        except BaseException:  # no runner will take the run over, so nothing of it may stay; raised on
            sandbox.remove()
            raise
