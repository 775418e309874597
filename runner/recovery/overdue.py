"""Ends runs that no runner watches once they are past their time, by the limit of their launch and no other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.domain.job import Job
from core.domain.limits import ResourceClass
from core.domain.verdict import Stop
from core.ports.sandbox import SandboxPort
from runner.run_folder import RunFolder

OVERDUE_SECONDS = 20.0
"""Seconds past its time-out after which a run is ended here: its runner would have stopped it by then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OverdueRuns:
    """The overdue runs of one host. A run whose lease lives is left to its runner, unless that is this process."""

    engine: SandboxPort
    host: str
    resource_classes: Mapping[str, ResourceClass]
    """For runs of older versions, which kept no limits of their own."""
    is_held: Callable[[str], bool]
    in_hand: Collection[str]
    """The jobs that this process holds."""

    def end(self, live: Iterator[tuple[Job, Path]]) -> Iterator[str]:
        """Ends the overdue runs among these jobs and run folders. Yields job ids; the next runner finds the reason."""
        for job, path in live:
            folder = RunFolder(path=path)
            if job.host == self.host and self._is_past_its_time(job, folder) and self._is_free(job):
                folder.stop(Stop.TIMEOUT)
                self.engine.kill(job.job_id, claim=folder.claim)
                yield job.job_id

    def _is_past_its_time(self, job: Job, folder: RunFolder) -> bool:
        settings = folder.settings
        limits = settings.limits if settings else self.resource_classes.get(job.resource_class)
        elapsed = folder.program_seconds()
        if limits is None or elapsed is None or folder.ended():
            return False
        return elapsed > limits.timeout_seconds + OVERDUE_SECONDS

    def _is_free(self, job: Job) -> bool:
        return job.job_id in self.in_hand or not self.is_held(job.job_id)
