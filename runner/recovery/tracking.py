"""The sweeper's steps for the tracking server: release waiting results, seal old ones, drop runs that are no result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from core.domain.job import Job
from core.ports.benchmarks import BenchmarkPort
from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort
from core.ports.runners import RunnersPort
from core.ports.tracking import TrackingPort
from runner.recovery.old_results import seal_old_results
from runner.recovery.repairs import Mended
from runner.recovery.site_names import SiteNames
from runner.recovery.stale_results import ClosedRuns, left_open
from runner.recovery.waiting_results import take_up


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackingSteps:
    """Each step may be repeated, and raises Unavailable when the ledger or the tracking server does not answer."""

    job_status: JobStatusPort
    tracking: TrackingPort
    results: ResultsPort
    runners: RunnersPort
    benchmarks: BenchmarkPort
    site_names: SiteNames
    host: str
    job_of: Callable[[str], Job | None]
    mended: Mended
    closed: ClosedRuns = field(default_factory=ClosedRuns)

    def waiting_results(self) -> None:
        if released := take_up(self.job_status, self.tracking, self.host):
            self.mended("waiting results", released=released)

    def old_results(self) -> None:
        """Seals results from before there were seals: by one process at a time, seldom once all are done."""
        seal_old_results(self.job_status, self.results, self.tracking, self.runners)

    def open_runs(self) -> None:
        """Removes open runs whose job has ended: their recorder died, and no runner records them again."""
        self.tracking.check()  # or each request below would wait for a server that hangs
        site = self.job_status.ledger_id()
        former = [name for name in self.site_names.all() if name != site]
        for run_id, job_id in left_open(
            self.tracking, self.results, self._benchmarks(), site=site, former=former, job_of=self.job_of
        ):
            self.tracking.discard(run_id)
            self.mended("open run", job_id, run_id=run_id)

    def untrue(self) -> None:
        """Removes results at the tracking server whose job ended otherwise."""
        site, now = self.job_status.ledger_id(), self.job_status.now()
        for run_id in self.closed.untrue(
            self.tracking, self.results, self._benchmarks(), site=site, job_of=self.job_of, now=now
        ):
            self.tracking.discard(run_id, closed=True)
            self.mended("untrue run", run_id=run_id)

    def _benchmarks(self) -> list[str]:
        return [benchmark.name for benchmark in self.benchmarks.list_benchmarks()]
