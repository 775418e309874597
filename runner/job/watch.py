"""Watches a run from its start, or from where another runner left it, to its end."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.errors import RunLost
from core.domain.verdict import RunRecord, Stop
from core.ports.sandbox import Sandbox, SandboxState
from runner.job.attempt import Attempt
from runner.launch_settings import GRACE_SECONDS

LONGEST_LOOK_SECONDS = 0.5
SHORT_LOOK_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class RunMonitor:
    """Watches one run. Raises LeaseLost, HandOver, RunLost, and Unavailable when the engine does not answer."""

    attempt: Attempt
    sandbox: Sandbox

    def to_its_end(self) -> RunRecord:
        """Waits for the end of the container, or stops it: cancel, time-out, too much output."""
        if (record := self.attempt.folder.ended()) is not None:  # an earlier runner has seen its end
            return record
        look = 0.02
        while not (state := self.sandbox.state()).ended:
            self.sandbox.peaks()
            reason = self._reason_to_stop()
            if reason is not None:
                state = self._stopped(reason)
                break
            self.attempt.lease.check()
            if self.sandbox.await_output_end(look):  # its end is near, or only its output's: look again soon
                self.attempt.context.stopping.wait(min(look, SHORT_LOOK_SECONDS))
            look = min(LONGEST_LOOK_SECONDS, look * 1.5)
        return self._ended(state)

    def _reason_to_stop(self) -> Stop | None:
        """Why the run must be stopped. A reason that an earlier runner noted without stopping the run still holds."""
        folder = self.attempt.folder
        if (found := folder.stopped) is not None:
            return found
        if self.attempt.lease.cancelled:
            return Stop.CANCEL
        if self.attempt.job_log.over_limit:
            return Stop.LOG_LIMIT
        limit = self.attempt.limits.timeout_seconds
        return Stop.TIMEOUT if (folder.program_seconds() or 0.0) > limit else None

    def _stopped(self, reason: Stop) -> SandboxState:
        """Notes the reason, then ends the program with the grace of its launch."""
        self.attempt.folder.stop(reason)
        self.sandbox.stop(grace_seconds=self.attempt.known.grace_seconds.get(reason, GRACE_SECONDS[reason]))
        return self.sandbox.state()

    def _ended(self, state: SandboxState) -> RunRecord:
        """Stores how the program ended, before its container is removed.

        If an earlier runner already recorded the end, that record wins: the container may be gone.
        """
        folder = self.attempt.folder
        self.attempt.lease.confirm()  # another runner may be reading what would be removed now
        if (seen := folder.ended()) is not None:
            return seen
        if state.interrupted:
            raise RunLost("The engine lost this run.")
        seconds = [value for value in (folder.elapsed_seconds(), state.ran_seconds) if value is not None]
        wall_seconds = min(seconds, default=0.0)
        record = RunRecord(
            exit_code=-1 if state.exit_code is None else state.exit_code,
            out_of_memory=state.out_of_memory,
            stopped=folder.stopped,
            wall_seconds=wall_seconds,
            metrics=None,
            image_digest=self.sandbox.image_digest,
            peaks={**self.sandbox.peaks(), "wall_seconds": round(wall_seconds, 3)},
        )
        folder.end(record)
        return record
