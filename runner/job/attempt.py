"""One attempt of a job, step by step: launch, watch, collect, judge, track, release.

Each step leaves on disk what the next one needs (`run_folder`), so another runner can go on where this one ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from core.domain.errors import LeaseLost, NotFound, RunLost, Unavailable
from core.domain.job import Claim, Job, JobState, Outcome, Phase
from core.domain.limits import ResourceClass
from core.domain.sealed_result import SealedResult
from core.domain.submission import Submission
from core.domain.verdict import FailureReason, RunRecord, Verdict
from core.ports.sandbox import Sandbox, SandboxSpec
from runner.gpus import NoGpu
from runner.job.collect import collected
from runner.job.context import Workbench
from runner.job.launch_spec import NoBenchmark, data_of, first_line, spec_of, submission_of, write_config
from runner.job.record import Recorder
from runner.job.result import add_log, left_out
from runner.job.signals import Cancelled, NeverStarted
from runner.job.watch import Watch
from runner.job_log.final_line import say_end
from runner.job_log.writer import LogWriter
from runner.launch_settings import LaunchSettings
from runner.lease.lease import AnswerT, HandOver, Lease
from runner.requirements.dependencies import used_by, verdict_of
from runner.requirements.installer import RequirementsFailed
from runner.run_folder import RunFolder

LOOK_SECONDS = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One attempt under way. Raises LeaseLost, HandOver, NeverStarted, ResultWaits, or a fault of the platform."""

    parts: Workbench
    claim: Claim
    job_log: LogWriter
    lease: Lease
    folder: RunFolder
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

    def to_its_end(self) -> None:
        """Brings the attempt to its end. Skips what an earlier runner of this attempt has done."""
        try:
            submission = submission_of(self.parts, self.job, self._heed)
            record = self._record(submission)
        except (NoGpu, NoBenchmark) as error:
            return self._release(Verdict(reason=FailureReason.PLATFORM, message=str(error)), {})
        except RequirementsFailed as error:
            return self._release(verdict_of(error, say=self.job_log.say, quote=self.job_log.quote), {})
        except Cancelled:
            return self._release(Verdict(cancelled=True, message="Cancelled before it started."), {})
        verdict = self.known.verdict(record)
        if not verdict.passed:
            return self._release(verdict, record.peaks)
        try:
            result = self._track(verdict, record, submission)
        except Cancelled:
            return self._release(Verdict(cancelled=True, message="Cancelled before it was recorded."), record.peaks)
        return self._release(verdict, record.peaks, result)

    def _record(self, submission: Submission) -> RunRecord:
        """The record to judge. If the engine lost the run, use what another runner harvested meanwhile."""
        try:
            return self._harvested() or self._carried_out(submission)
        except RunLost:
            self.lease.confirm()
            if (record := self._harvested()) is None:
                raise
            return record

    def _harvested(self) -> RunRecord | None:
        """The record that an earlier runner read, if any; then removes what the engine still has of the run."""
        record = self.folder.harvested()
        if record is not None:
            self.parts.engine.remove_leftovers(self.job.job_id, claim=self.folder.claim)
        return record

    def _carried_out(self, submission: Submission) -> RunRecord:
        if self.folder.went_with_the_machine:
            raise RunLost("The machine was started anew during this run.")
        sandbox = self._taken_over(submission) if self.launched else self._launch(submission)
        try:
            record = self._collect(sandbox, self.folder.ended() or self._watch(sandbox))
        except (LeaseLost, HandOver, Unavailable, OSError):  # the run goes on by itself, or waits as it is
            sandbox.detach()
            raise
        except BaseException:  # no runner will take the run over, so nothing of it may stay; raised on
            sandbox.remove()
            raise
        verdict = self.known.verdict(record)
        sandbox.remove(failed=not verdict.passed and not verdict.cancelled)
        self.parts.gpus.look_after()
        return record

    def _waits(self, why: str) -> None:
        self.job_log.say_once(why)
        self._note(device="waiting for a GPU")

    def _launch(self, submission: Submission) -> Sandbox:
        """Starts the container; its output is in the job's log from the first byte."""
        status = self.parts.ports.job_status
        self.tell(lambda: status.note(self.claim, sandbox=self.folder.claim))  # or a sweep removes its installer
        data = data_of(self.parts, self.job, self._heed)
        prepared = self.parts.dependencies.prepared(
            self._spec(submission, None), self.folder, say=self.job_log.say, check=self._heed
        )
        with self.parts.gpus.reserved(self.limits.gpus, check=self._heed, say=self._waits) as gpu:
            device = f"gpu {gpu}" if gpu else "cpu"
            spec = replace(self._spec(submission, gpu), data=data, dependencies=prepared.dependencies)
            write_config(self.parts, self.job, self.folder, device=device)
            self.tell(lambda: status.note(self.claim, device=device))
            self.job_log.say_once(first_line(self.job, self.limits, device))
            self._heed()  # a job cancelled before this gets no container
            self.folder.agree(self.known)
            self.folder.begin()
            try:
                sandbox = self.parts.engine.launch(spec, self.job_log)
            except Unavailable as error:
                raise RunLost(str(error)) from error
            self.folder.start()
        self._note(phase=Phase.RUNNING)
        return sandbox

    def _taken_over(self, submission: Submission) -> Sandbox:
        """The run as another runner left it: its container, or only the output that was being read.

        Raises NeverStarted when that runner ended before the container had started, RunLost when the run is gone.
        """
        kind, _blank, gpu = (self.job.device or "").partition(" ")
        sandbox = self.parts.engine.adopt(self._spec(submission, gpu if kind == "gpu" else None), self.job_log)
        never_started = not self.folder.started and not self.job_log.printed_bytes
        if never_started and (sandbox is None or sandbox.state().interrupted):  # no container, or only its volume
            raise NeverStarted
        if sandbox is None:
            raise RunLost("The engine knows nothing of this run any more.")
        log.info("run taken over", job_id=self.job.job_id, attempt=self.job.attempt)
        return sandbox

    def _heed(self) -> None:
        """`Lease.check` for steps in which no container runs. Raises Cancelled besides."""
        self.lease.check()
        if self.lease.cancelled:
            raise Cancelled

    def _note(self, *, phase: Phase | None = None, device: str | None = None) -> None:
        """Notes progress in the ledger; skipped while the ledger is away, since no run may fail for it."""
        try:
            self.parts.ports.job_status.note(self.claim, phase=phase, device=device)
        except Unavailable as error:
            log.warning("progress not noted", job_id=self.job.job_id, phase=phase, error=str(error))

    def _spec(self, submission: Submission, gpu: str | None) -> SandboxSpec:
        return spec_of(self.parts, self.job, self.folder, submission, settings=self.known, gpu=gpu)

    def _watch(self, sandbox: Sandbox) -> RunRecord:
        watch = Watch(
            sandbox=sandbox, folder=self.folder, job_log=self.job_log, lease=self.lease, settings=self.known,
            stopping=self.parts.stopping,
        )  # fmt: skip
        return watch.to_its_end()

    def _collect(self, sandbox: Sandbox, record: RunRecord) -> RunRecord:
        """Reads what the run left, once its container is gone; if another runner was first, its record wins."""
        self._note(phase=Phase.COLLECTING)
        with collected(sandbox, record, self.folder, self.job_log) as (found, artifacts):
            self.lease.confirm()
            return self.folder.harvest(found, artifacts)

    def _track(self, verdict: Verdict, record: RunRecord, submission: Submission) -> SealedResult:
        """Records the result and returns what is to be sealed. Raises ResultWaits while the tracking server is away."""
        self._note(phase=Phase.RECORDING)
        self._ask_and_heed()
        artifacts = self.folder.artifacts
        if artifacts is None or not artifacts.is_dir():  # another runner ended the job and removed its folder
            raise RunLost("The files of this run are gone.")
        for sentence in left_out(verdict):
            self.job_log.say_once(sentence)
        self.job_log.keep_place()
        add_log(artifacts, self.parts.ports.storage.log_path(self.job.job_id))
        recorder = Recorder(parts=self.parts, claim=self.claim, run=self.folder.claim, tell=self.tell)
        return recorder.record(
            verdict, record, submission, artifacts, dependencies=used_by(self.folder), keep_going=self._heed,
            ask=self._ask_and_heed, seal=self._seal,
        )  # fmt: skip

    def _ask_and_heed(self) -> None:
        """Asks the ledger first, so that what another runner may have done meanwhile is not done twice."""
        self.lease.confirm()
        self._heed()

    def _seal(self) -> None:
        """Call before the result is final: once the ledger agrees, no cancel makes it untrue. Raises Cancelled."""
        self._ask_and_heed()
        if not self.tell(lambda: self.parts.ports.job_status.seal(self.claim)):
            raise Cancelled

    def _release(self, verdict: Verdict, peaks: Mapping[str, float], result: SealedResult | None = None) -> None:
        self.end(Outcome.of(verdict, peaks=peaks, run_id=result.run_id if result else None), result)

    def end(self, outcome: Outcome, result: SealedResult | None = None) -> None:
        """Writes the log's last line, then the final state with the result: a client that sees it finds the rest."""
        self.lease.confirm()
        self.job_log.end_output()
        last = f"Ended: {outcome.state}{': ' + outcome.message if outcome.message else ''}"
        self.job_log.say_once(last)
        self._await_own_logs()
        self.job_log.say_once(last)  # in the file that readers find
        self.tell(lambda: self.parts.ports.job_status.finish(self.claim, outcome, result))
        for path in self.parts.job_root.glob(f"{self.job.job_id}-*"):  # those of its earlier runs, too
            RunFolder(path=path).remove()
        log.info("finished", job_id=self.job.job_id, state=outcome.state, reason=outcome.reason)

    def _await_own_logs(self) -> None:
        """Waits while another folder stands in for the site's, e.g. because that is not mounted: logs would be lost."""
        while self.parts.ports.folders.is_foreign("logs"):
            self.lease.check()
            self.parts.stopping.wait(LOOK_SECONDS)

    def tell(self, step: Callable[[], AnswerT]) -> AnswerT:
        """Repeats a call to the ledger until it answers. Writes the log's last line if that cancelled the job."""
        answer = self.lease.retrying(step)
        if isinstance(answer, Job) and answer.state is JobState.CANCELLED:
            say_end(self.parts.ports.storage.log_path(answer.job_id).parent, answer)
        return answer
