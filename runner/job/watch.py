"""Watches a run from its start, or from where another runner left it, to its end."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from core.domain.errors import RunLost
from core.domain.verdict import RunRecord, Stop
from core.ports.sandbox import Sandbox, SandboxState
from runner.job_log.writer import LogWriter
from runner.launch_settings import GRACE_SECONDS, LaunchSettings
from runner.lease.lease import Lease
from runner.run_folder import RunFolder

LONGEST_LOOK_SECONDS = 0.5
SHORT_LOOK_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """Watches one run. Raises LeaseLost, HandOver, RunLost, and Unavailable when the engine does not answer."""

    sandbox: Sandbox
    folder: RunFolder
    job_log: LogWriter
    lease: Lease
    settings: LaunchSettings
    """The run's own, not this process's."""
    stopping: threading.Event

    def to_its_end(self) -> RunRecord:
        """Waits for the end of the container, or stops it: cancel, time-out, too much output."""
        look = 0.02
        while not (state := self.sandbox.state()).ended:
            self.sandbox.peaks()
            reason = self._reason_to_stop()
            if reason is not None:
                self.folder.stop(reason)
                self.sandbox.stop(grace_seconds=self.settings.grace_seconds.get(reason, GRACE_SECONDS[reason]))
                state = self.sandbox.state()
                break
            self.lease.check()
            if self.sandbox.await_output_end(look):  # its end is near, or only its output's: look again soon
                self.stopping.wait(min(look, SHORT_LOOK_SECONDS))
            look = min(LONGEST_LOOK_SECONDS, look * 1.5)
        return self._ended(state)

    def _reason_to_stop(self) -> Stop | None:
        """Why the run must be stopped. A reason that an earlier runner noted without stopping the run still holds."""
        if (found := self.folder.stopped) is not None:
            return found
        if self.lease.cancelled:
            return Stop.CANCEL
        if self.job_log.over_limit:
            return Stop.LOG_LIMIT
        limit = self.settings.limits.timeout_seconds
        return Stop.TIMEOUT if (self.folder.elapsed_seconds() or 0.0) > limit else None

    def _ended(self, state: SandboxState) -> RunRecord:
        """Stores how the program ended, before its container is removed.

        If an earlier runner already recorded the end, that record wins: the container may be gone.
        """
        self.lease.confirm()  # another runner may be reading what would be removed now
        if (seen := self.folder.ended()) is not None:
            return seen
        if state.interrupted:
            raise RunLost("The engine lost this run.")
        seconds = [value for value in (self.folder.elapsed_seconds(), state.ran_seconds) if value is not None]
        wall_seconds = min(seconds, default=0.0)
        record = RunRecord(
            exit_code=-1 if state.exit_code is None else state.exit_code,
            out_of_memory=state.out_of_memory,
            stopped=self.folder.stopped,
            wall_seconds=wall_seconds,
            metrics=None,
            image_digest=self.sandbox.image_digest,
            peaks={**self.sandbox.peaks(), "wall_seconds": round(wall_seconds, 3)},
        )
        self.folder.end(record)
        return record
