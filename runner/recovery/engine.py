"""The sweeper's steps for the engine: remove what is left of runs that are over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from core.domain.job import Job, JobState
from core.ports.job_status import JobStatusPort
from core.ports.sandbox import SandboxPort
from runner.recovery.repairs import Mended
from runner.recovery.site_names import SiteNames


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSteps:
    """Each step may be repeated, and raises Unavailable when the ledger or the engine does not answer."""

    engine: SandboxPort
    job_status: JobStatusPort
    job_of: Callable[[str], Job | None]
    site_names: SiteNames
    mended: Mended
    job_ended: threading.Event
    """Set by the ledger's steps when a job has ended whose run may still be in the engine."""
    needed: dict[tuple[str, str], float] = field(default_factory=dict)
    """Runs that the engine had and that were needed at the last look: by job and claim, with the seconds that each is
    kept once it has failed."""

    def freed(self) -> None:
        """Removes runs that just ended, also by another process: asks the ledger, which costs less than the engine."""
        if self.job_ended.is_set() or not all(
            self._is_needed(self.job_of(job_id), claim, kept) for (job_id, claim), kept in tuple(self.needed.items())
        ):
            self.job_ended.clear()
            self.leftovers()

    def leftovers(self) -> None:
        """Asks the engine before the ledger, so that what is launched meanwhile is not in the answer."""
        runs = self.engine.runs().union(*(self.engine.runs(site=name) for name in self.site_names.all()))
        self.needed.clear()
        for job_id, claim in runs:
            job = self.job_of(job_id)
            failed = job is not None and job.state is JobState.FAILED
            kept = self.engine.kept_seconds(job_id, claim=claim) if failed else 0.0
            if self._is_needed(job, claim, kept):
                self.needed[job_id, claim] = kept
            else:
                self.mended("leftovers", job_id, things=self.engine.remove_leftovers(job_id, claim=claim))

    def _is_needed(self, job: Job | None, claim: str, kept_seconds: float) -> bool:
        """Whether the run goes on, or failed less than `kept_seconds` ago and is kept for admins."""
        if job is None or job.sandbox != claim:
            return False
        if job.state is JobState.FAILED and job.finished_at is not None:
            kept = timedelta(seconds=kept_seconds)
            return bool(kept) and job.finished_at > self.job_status.now() - kept
        return job.state is JobState.RUNNING
