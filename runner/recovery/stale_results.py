"""Runs at the tracking server that are no job's result: left open by dead recorders, or of jobs that ended otherwise.

Whose a run is says the ledger. Its tags and its status, which others may have changed, only lead to it: no other job's
run is ever removed, and none that is its job's sealed one.
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
    """Each result is looked at until its job has ended. Lives as long as its process; used by one thread."""

    _since: datetime | None = None
    _undecided: dict[str, str] = field(default_factory=dict)
    """Runs whose jobs had not ended, with those."""

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
        """Runs that are not how their job ended: it did not complete, or did with another one. `now`: the ledger's."""
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
    """Open runs of jobs that have ended otherwise, with those: their recorder died, and no runner records them again.

    `former`: names that this site's ledger had before it was emptied. Their open runs of jobs that the ledger does not
    know go, too. A run that is its job's result, and was opened again in MLflow, stays. So does a run of this site's
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
    """A run that the ledger did not note: its recorder died at once, or another client made it with our tag."""
    return owners.get(run_id, job.job_id) == job.job_id
