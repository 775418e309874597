"""Begins or takes over a claimed job, and decides what happens when the platform fails or the runner must stop."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from core.domain.errors import LeadersboardError, LeaseLost, NotFound, RunLost, Unavailable
from core.domain.job import MAX_ATTEMPTS, RUNNER_GONE, Claim, Job, JobState, Outcome
from core.domain.verdict import FailureReason
from runner.dead_letters import PostMortem
from runner.job.attempt import Attempt
from runner.job.context import Workbench
from runner.job.launch_spec import why_again
from runner.job.signals import NeverStarted, ResultWaits
from runner.job_log.earlier import set_earlier_aside
from runner.job_log.writer import LogWriter
from runner.launch_settings import LogLimits
from runner.lease.lease import HandOver, Lease
from runner.run_folder import RunFolder, run_name

ROOM_SECONDS = 5.0
"""Pause before a run that found its disk full or not writable is taken up again."""
NO_STORAGE = "its log or its folder could not be written"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunJob:
    """The runner's one use case."""

    bench: Workbench

    def __call__(self, claim: Claim) -> None:
        """Brings a claimed job to its end, or leaves it so that another runner can. No run makes it raise."""
        words = log.bind(job_id=claim.job_id, attempt=claim.job.attempt, user_id=claim.job.user_id)
        words.info("claimed", takeover=claim.job.sandbox is not None)
        try:
            self._hold(claim)
        except LeaseLost:
            words.warning("lease lost; dropped")
        except HandOver:
            words.warning("ledger not told; left to the next runner")

    def _hold(self, claim: Claim) -> None:
        ledger = self.bench.ports.job_status
        try:
            with (
                self.bench.held.holding(claim),
                Lease(ledger, claim, lease_seconds=self.bench.lease_seconds, stopping=self.bench.stopping) as lease,
            ):
                lease.confirm()  # only the runner that holds the job may take its log
                self._take_up(claim, lease)
        except OSError as error:  # of the lock, mostly
            if not self.bench.storage_faults.hold_up(claim.job_id, error):
                raise
            log.warning("no storage for a job", job_id=claim.job_id, error=str(error))
            self._let_go(claim)

    def _take_up(self, claim: Claim, lease: Lease) -> None:
        if fault := self.bench.storage_faults.now():  # it appeared after the claim
            self._put_off(claim, fault)
            return
        try:
            folder = self._folder(claim)
            settings = folder.settings or self.bench.settings_for(claim.job.resource_class)
            self._clear_log(claim, folder, lease)
            job_log = self._log(claim, folder, lease, settings.log if settings else self.bench.log_limits)
        except OSError as error:
            if not self.bench.storage_faults.hold_up(claim.job_id, error):
                raise
            self._put_off(claim, str(error))
            return
        with job_log:
            self._run(
                Attempt(parts=self.bench, claim=claim, job_log=job_log, lease=lease, folder=folder, settings=settings)
            )

    def _put_off(self, claim: Claim, why: str) -> None:
        """Gives the job back: without storage for its log or folder no job is begun, and no run is taken over."""
        log.warning("no storage for a job", job_id=claim.job_id, error=why)
        self.bench.stopping.wait(ROOM_SECONDS)
        self._let_go(claim)

    def _let_go(self, claim: Claim) -> Job:
        """Uses up no attempt: a job with a run is left to this host, any other goes back into the queue."""
        ledger = self.bench.ports.job_status
        try:
            sandbox = ledger.get(claim.job_id).sandbox
        except NotFound as error:
            raise LeaseLost(f"The ledger does not know job {claim.job_id} any more.") from error
        return ledger.leave(claim) if sandbox else ledger.hand_back(claim, count_attempt=False, why=NO_STORAGE)

    def _folder(self, claim: Claim) -> RunFolder:
        """The folder of the run that is taken over, else a new one. The sweeper removes those of earlier runs."""
        job, root = claim.job, self.bench.job_root
        left = RunFolder(path=root / run_name(job))
        if left.can_be_taken_over or left.went_with_the_machine:
            return left
        return RunFolder.make(root / f"{job.job_id}-{claim.mark}")

    def _clear_log(self, claim: Claim, folder: RunFolder, lease: Lease) -> None:
        """Notes the log in the ledger before anything is written: from then on the log of this id is this job's."""
        ports = self.bench.ports
        resumed = folder.can_be_taken_over or folder.went_with_the_machine
        if set_earlier_aside(ports.storage.log_path(claim.job_id), claim.job, resumed=resumed):
            log.warning("log of an earlier job set aside", job_id=claim.job_id)
        if not claim.job.logged:
            lease.retrying(lambda: ports.job_status.note(claim, logged=True))

    def _log(self, claim: Claim, folder: RunFolder, lease: Lease, limits: LogLimits) -> LogWriter:
        return LogWriter(
            self.bench.ports.storage.log_path(claim.job_id),
            position=folder.position,
            trusted=folder.elapsed_seconds() is not None,  # it outlives no restart of the machine
            confirm=lease.confirm,
            **limits.model_dump(),
        )

    def _run(self, attempt: Attempt) -> None:
        try:
            if attempt.settings is not None:
                attempt.to_its_end()
            else:
                self._end_without_class(attempt)
        except LeaseLost:
            raise
        except HandOver:
            self._hand_over(attempt)
        except NeverStarted:
            self._hand_back(attempt, count_attempt=False, why=RUNNER_GONE)
        except ResultWaits as waits:
            attempt.job_log.say_once(
                "The tracking server does not answer. The result is kept and recorded when it does."
            )
            attempt.tell(lambda: self.bench.ports.job_status.leave(attempt.claim, until_told=True))
            self._tell_of_a_refusal(attempt.job, waits.__cause__ or waits)
        except (LeadersboardError, OSError) as error:
            self._failed(attempt, error)

    def _end_without_class(self, attempt: Attempt) -> None:
        """Fails and refunds a job whose class is no longer in the settings of any runner that could run it.

        A run goes on with the settings of its launch, but one launched by an older version has stored none.
        """
        self.bench.engine.remove_leftovers(attempt.job.job_id, claim=attempt.folder.claim)
        message = (
            f"The run was ended because this site no longer has a resource class {attempt.job.resource_class!r}. "
            "It was not your submission's fault. Post the job again with another class."
        )
        attempt.end(Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, message=message, refund=True))

    def _is_run_somewhere(self, attempt: Attempt) -> bool:
        """Whether a runner has the job's class: in a queue to which none listens the job would wait for ever."""
        name = attempt.job.resource_class
        return name in self.bench.resource_classes or any(
            seen.has_class(name) for seen in attempt.tell(self.bench.ports.runners.runners) if not seen.is_silent
        )

    def _tell_of_a_refusal(self, job: Job, error: BaseException) -> None:
        """Keeps a dead letter if the tracking server answers but takes no result: that may not end by itself."""
        try:
            self.bench.ports.tracking.check()
        except Unavailable:
            return
        PostMortem(dead_letters=self.bench.ports.dead_letters)("record result", error, job)

    def _failed(self, attempt: Attempt, error: Exception) -> None:
        """Handles a failure of the platform; a failure because another runner has taken the job is none."""
        attempt.lease.confirm()
        expected = isinstance(error, LeadersboardError)
        log.warning("platform failed", job_id=attempt.job.job_id, error=str(error), exc_info=not expected)
        PostMortem(dead_letters=self.bench.ports.dead_letters)("run job", error, attempt.job)
        if self.bench.storage_faults.hold_up(attempt.job.job_id, error):
            return self._wait_for_storage(attempt)
        if isinstance(error, RunLost):
            attempt.job_log.say(str(error))
        if isinstance(error, Unavailable) and attempt.launched:
            return self._wait_for_the_engine(attempt)
        return self._platform_failed(attempt, why_again(error))

    def _hand_over(self, attempt: Attempt) -> None:
        """A begun run goes on by itself. A job that had not begun goes back to the queue, with no attempt used up."""
        if self.bench.storage_faults.now():  # the run's folder cannot be trusted
            attempt.tell(lambda: self._let_go(attempt.claim))
        elif attempt.launched:
            attempt.job_log.say("This runner is stopping; the run goes on and another runner takes it over.")
            attempt.tell(lambda: self.bench.ports.job_status.leave(attempt.claim))
        else:
            attempt.job_log.say("This runner is stopping; another one runs the job.")
            self._hand_back(attempt, count_attempt=False, why="its runner was stopped before the run had begun")

    def _wait_for_the_engine(self, attempt: Attempt) -> None:
        """An engine that does not answer may go on with the run, which is later taken over, or found lost."""
        attempt.tell(lambda: self.bench.ports.job_status.presume_dead(attempt.job.job_id, attempt.claim.mark))

    def _wait_for_storage(self, attempt: Attempt) -> None:
        """Leaves the run as it is until an admin has mended the disk; nothing of it is thrown away."""
        self.bench.stopping.wait(ROOM_SECONDS)
        attempt.tell(lambda: self._let_go(attempt.claim))

    def _platform_failed(self, attempt: Attempt, why: str) -> None:
        """A failing platform gives no verdict: runs the job again, or ends it and gives the user's quota back."""
        if attempt.job.attempt < MAX_ATTEMPTS:
            attempt.job_log.say(f"The platform failed in attempt {attempt.job.attempt}; the job is run again.")
            self._hand_back(attempt, count_attempt=True, why=why)
            return
        message = f"The platform failed {MAX_ATTEMPTS} times and gave up. It was not your submission's fault."
        attempt.end(Outcome(state=JobState.FAILED, reason=FailureReason.PLATFORM, message=message, refund=True))

    def _hand_back(self, attempt: Attempt, *, count_attempt: bool, why: str) -> None:
        if not self._is_run_somewhere(attempt):
            self._end_without_class(attempt)
            return
        ledger = self.bench.ports.job_status
        attempt.tell(lambda: ledger.hand_back(attempt.claim, count_attempt=count_attempt, why=why))
        attempt.folder.remove()
