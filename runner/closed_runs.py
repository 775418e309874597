"""Results at the tracking server whose jobs ended otherwise: looked for beside all that keeps there from being any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from core.domain.job import Job, JobState
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
        for run_id, job_id in list(self._undecided.items()):
            job = job_of(job_id)
            if job is not None and not job.is_final:
                continue
            if job is not None and (job.state, job.run_id) != (JobState.COMPLETED, run_id):
                yield run_id
            del self._undecided[run_id]
        self._since = began - OVERLAP
