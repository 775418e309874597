"""Finds MLflow runs that contradict their job's state: left open by dead recorders, or of jobs that ended otherwise.

The ledger decides which job a run belongs to. Tags and status, which others may have changed, only lead to the job: no
run of another job is ever removed, and none that is its job's sealed result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product

from core.domain.job import Job, JobState
from core.ports.results import ResultsPort
from core.ports.tracking import TrackingPort

FIRST_LOOK = timedelta(days=1)
OVERLAP = timedelta(hours=1)
"""A run is dated before its files are sent, by its own host's clock."""


@dataclass(kw_only=True)
class ClosedRuns:
    """Checks each closed run until its job has ended. Lives as long as its process; used by one thread."""

    _since: datetime | None = None
    _undecided: dict[str, str] = field(default_factory=dict)
    """Job ids by run id, of runs whose jobs had not ended yet."""

    def untrue(
        self,
        tracking: TrackingPort,
        results: ResultsPort,
        benchmarks: Iterable[str],
        *,
        site: str,
        job_of: Callable[[str], Job | None],
        now: datetime | None = None,
    ) -> Iterator[str]:
        """Yields runs whose job did not complete, or completed with another run. `now` is the ledger's time."""
        began = now or datetime.now(UTC)
        for benchmark in benchmarks:
            self._undecided |= tracking.closed_runs(benchmark, since=self._since or began - FIRST_LOOK, site=site)
        owners = results.owners(list(self._undecided))
        for run_id, job_id in list(self._undecided.items()):
            job = job_of(job_id)
            if job is not None and not job.is_final:
                continue
            ended_otherwise = job is not None and (job.state, job.run_id) != (JobState.COMPLETED, run_id)
            if job is not None and ended_otherwise and _may_go(owners, run_id, job):
                yield run_id
            del self._undecided[run_id]
        self._since = began - OVERLAP


def left_open(
    tracking: TrackingPort,
    results: ResultsPort,
    benchmarks: Iterable[str],
    *,
    site: str,
    former: Collection[str] = (),
    job_of: Callable[[str], Job | None],
) -> Iterator[tuple[str, str]]:
    """Yields open runs with their jobs, which ended otherwise: the recorder died, and no runner records the run again.

    `former`: names that this site's ledger had before it was emptied. Their open runs go, too, if the ledger does not
    know the job. A run that is its job's result, and was opened again in MLflow, stays. So does a run of this site's
    present name whose job the ledger does not know.
    """
    for benchmark, name in product(benchmarks, (site, *former)):
        found = tracking.open_runs(benchmark, site=name)
        owners = results.owners(list(found))
        for run_id, job_id in found.items():
            job = job_of(job_id)
            if job is None:
                if name in former and run_id not in owners:
                    yield run_id, job_id
            elif job.state is not JobState.RUNNING and job.run_id != run_id and _may_go(owners, run_id, job):
                yield run_id, job_id


def _may_go(owners: Mapping[str, str], run_id: str, job: Job) -> bool:
    """True unless the ledger has another job for the run.

    It has none if the recorder died at once, or if another client made the run with our tag.
    """
    return owners.get(run_id, job.job_id) == job.job_id
