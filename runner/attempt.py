"""One attempt of a job, step by step: launch, watch, collect, judge, track, release."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from core.domain.errors import Rejected, Unavailable
from core.domain.job import Claim, Job, Outcome, Phase
from core.domain.limits import ResourceClass
from core.domain.submission import Submission
from core.domain.verdict import FailureReason, RunRecord, Stop, Verdict, judge
from core.ports.sandbox import Sandbox, SandboxSpec, SandboxState
from core.ports.tracking import RunRef
from runner.gpus import NoGpu
from runner.heartbeat import Heartbeat
from runner.log_writer import LogWriter
from runner.recording import add_log, result_of
from runner.workbench import Workbench

GRACE_SECONDS = {Stop.CANCEL: 3.0, Stop.LOG_LIMIT: 0.0, Stop.TIMEOUT: 10.0}
LONGEST_LOOK_SECONDS = 0.5
SHORT_LOOK_SECONDS = 0.05
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 30.0

log = structlog.get_logger(__name__)


class HandOver(Exception):
    """Raised when this runner is asked to stop while a job still runs: another one takes it."""


class Cancelled(Exception):
    """Raised when somebody cancels a job that waits for a device, or for its result to be recorded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One attempt under way. Raises LeaseLost, HandOver or a fault of the platform; never for what a run does."""

    parts: Workbench
    claim: Claim
    job_log: LogWriter
    pulse: Heartbeat
    folder: Path

    @property
    def job(self) -> Job:
        return self.claim.job

    @property
    def limits(self) -> ResourceClass:
        return self.parts.resource_classes[self.job.resource_class]

    def to_its_end(self) -> None:
        submission = self.parts.ports.storage.get_submission(self.job.submission_id)
        try:
            sandbox, device = self._launch(submission)
        except NoGpu as error:
            return self._release(Verdict(reason=FailureReason.PLATFORM, message=str(error)), {})
        except Cancelled:
            return self._release(Verdict(cancelled=True, message="Cancelled before it started."), {})
        try:
            record = self._watch(sandbox)
            record = self._collect(sandbox, record)
        finally:
            sandbox.remove()
        verdict = judge(record, self.limits)
        if not verdict.passed:
            return self._release(verdict, record.peaks)
        try:
            ref = self._track(verdict, record, submission, sandbox.image_digest, device)
        except Cancelled:
            return self._release(Verdict(cancelled=True, message="Cancelled before it was recorded."), record.peaks)
        return self._release(verdict, record.peaks, ref)

    def _launch(self, submission: Submission) -> tuple[Sandbox, str]:
        """Start the container; from its first byte its output is in the job's log."""
        with self.parts.gpus.reserved(self.limits.gpus, keep_waiting=self._heed) as gpu:
            device = f"gpu {gpu}" if gpu else "cpu"
            spec = self._spec(submission, gpu)
            self._write_config(device)
            self.parts.ports.job_status.note(self.claim, device=device)
            self.job_log.say(f"Attempt {self.job.attempt}: class {self.limits.name}, {device}. {_bounds(self.limits)}")
            sandbox = self.parts.engine.launch(spec, self.job_log.output)
        self.parts.ports.job_status.note(self.claim, phase=Phase.RUNNING)
        return sandbox, device

    def _go_on(self) -> None:
        """Raises LeaseLost or HandOver when this attempt must not go on."""
        self.pulse.check()
        if self.parts.stopping.is_set():
            raise HandOver

    def _heed(self) -> None:
        """The same, and Cancelled: for the times at which no container runs that would have to be stopped first."""
        self._go_on()
        if self.pulse.cancelled:
            raise Cancelled

    def _spec(self, submission: Submission, gpu: str | None) -> SandboxSpec:
        ports = self.parts.ports
        return SandboxSpec(
            site=self.parts.site,
            job_id=self.job.job_id,
            attempt=self.job.attempt,
            claim=self.claim.token[:8],
            user_id=self.job.user_id,
            entrypoint=submission.entrypoint,
            config_file=submission.config_file,
            limits=self.limits,
            image=self.parts.image,
            submission=ports.storage.submission_files(submission.submission_id),
            config=self.folder / "config",
            data=ports.benchmarks.data_folder(self.job.benchmark),
            gpu=gpu,
        )

    def _write_config(self, device: str) -> None:
        benchmark = self.parts.ports.benchmarks.get(self.job.benchmark)
        content = {
            "job_id": self.job.job_id,
            "benchmark": {"name": benchmark.name, "categories": list(benchmark.categories)},
            "overrides": dict(self.job.overrides),
            "device": device.partition(" ")[0],
            "resource_class": self.limits.name,
        }
        (self.folder / "config" / "job.json").write_text(json.dumps(content, indent=2))

    def _watch(self, sandbox: Sandbox) -> RunRecord:
        """Wait for the end of the container, or bring it about: cancel, time-out, too much output."""
        started = time.monotonic()
        stopped: Stop | None = None
        look = 0.02
        while not (state := sandbox.state()).ended:
            self._go_on()
            sandbox.peaks()
            stopped = self._reason_to_stop(time.monotonic() - started)
            if stopped is not None:
                sandbox.stop(grace_seconds=GRACE_SECONDS[stopped])
                state = sandbox.state()
                break
            if sandbox.await_output_end(look):  # its end is near, or only its output's: look again soon, not at once
                self.parts.stopping.wait(min(look, SHORT_LOOK_SECONDS))
            look = min(LONGEST_LOOK_SECONDS, look * 1.5)
        self.pulse.check()
        return self._record(sandbox, state, stopped, time.monotonic() - started)

    def _reason_to_stop(self, wall_seconds: float) -> Stop | None:
        if self.pulse.cancelled:
            return Stop.CANCEL
        if self.job_log.over_limit:
            return Stop.LOG_LIMIT
        return Stop.TIMEOUT if wall_seconds > self.limits.timeout_seconds else None

    def _record(self, sandbox: Sandbox, state: SandboxState, stopped: Stop | None, wall_seconds: float) -> RunRecord:
        return RunRecord(
            exit_code=-1 if state.exit_code is None else state.exit_code,
            out_of_memory=state.out_of_memory,
            stopped=stopped,
            interrupted=state.interrupted,
            wall_seconds=wall_seconds,
            metrics=None,
            peaks={**sandbox.peaks(), "wall_seconds": round(wall_seconds, 3)},
        )

    def _collect(self, sandbox: Sandbox, record: RunRecord) -> RunRecord:
        """Read what the run left, now that its container is gone."""
        self.parts.ports.job_status.note(self.claim, phase=Phase.COLLECTING)
        if record.interrupted:
            raise Unavailable("The sandbox engine", "it lost the run")
        found = sandbox.harvest(self.folder / "artifacts")
        for notice in found.notices:
            self.job_log.say(notice)
        late = Stop.LOG_LIMIT if self.job_log.over_limit else None
        return replace(
            record,
            metrics=found.metrics,
            metrics_problem=found.metrics_problem,
            output_full=found.output_full,
            stopped=record.stopped or late,
            peaks={**record.peaks, "log_bytes": float(self.job_log.printed_bytes)},
        )

    def _track(
        self, verdict: Verdict, record: RunRecord, submission: Submission, image_digest: str, device: str
    ) -> RunRef:
        """Record the result; while the tracking server is away the job waits, leased, as "recording"."""
        self.parts.ports.job_status.note(self.claim, phase=Phase.RECORDING)
        self.pulse.refresh()
        self._heed()
        artifacts = self.folder / "artifacts"
        add_log(artifacts, self.parts.ports.storage.log_path(self.job.job_id))
        result = result_of(self.job, verdict, record, submission, image_digest=image_digest, device=device)
        result = replace(result, artifacts=artifacts)
        return self._until_it_answers(lambda: self.parts.ports.tracking.record(result, keep_going=self._heed))

    def _until_it_answers(self, step: Callable[[], RunRef]) -> RunRef:
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                return step()
            except Rejected:
                raise
            except Unavailable as error:
                log.warning("result not recorded yet", job_id=self.job.job_id, error=str(error))
                self._heed()
                self.parts.stopping.wait(pause)
                pause = min(LONGEST_RETRY_SECONDS, pause * 2)

    def _release(self, verdict: Verdict, peaks: Mapping[str, float], ref: RunRef | None = None) -> None:
        self.end(Outcome.of(verdict, peaks=peaks, run_id=ref.run_id if ref else None))

    def end(self, outcome: Outcome) -> None:
        """The last line of the log, then the final state: who sees the state finds the whole log."""
        self.job_log.end_output()
        self.job_log.say(f"Ended: {outcome.state}{': ' + outcome.message if outcome.message else ''}")
        self.tell(lambda: self.parts.ports.job_status.finish(self.claim, outcome))
        log.info("finished", job_id=self.job.job_id, state=outcome.state, reason=outcome.reason)

    def tell(self, step: Callable[[], Job]) -> None:
        """A last word to the ledger, repeated while it is away and the job is still ours. Raises LeaseLost."""
        while True:
            try:
                step()
            except Unavailable as error:
                log.warning("ledger not told yet", job_id=self.job.job_id, error=str(error))
                self.pulse.check()
                if self.parts.stopping.wait(FIRST_RETRY_SECONDS):
                    raise
            else:
                return


def _bounds(limits: ResourceClass) -> str:
    return (
        f"Limits: {limits.cpus:g} CPUs, {limits.memory_bytes // 1024**2} MiB, {limits.timeout_seconds} s, "
        f"output {limits.output_bytes // 1024**2} MiB."
    )
