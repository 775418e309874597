"""Retention: removes what is older than a number of days, after showing it; pinned jobs are spared (RUN-7)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from core.domain.clocks import MOST_RETENTION_SKEW_SECONDS, told
from core.domain.errors import Conflict, LeadersboardError
from core.domain.retention import Expired, OldRun
from core.ports.results import ResultsPort
from core.ports.retention import OldFilesPort, OldRecordsPort, OldRunsPort

NOTHING = Expired(before=datetime.fromtimestamp(0, UTC))
"""The plan where nothing is removed, however old."""
PER_ROUND = 500
SETTLE_SECONDS = 2.0
"""By then a job that was being posted when its submission was put aside is in the ledger."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """May run in several processes at once: each ignores what another has already removed."""

    records: OldRecordsPort
    results: ResultsPort
    files: OldFilesPort
    runs: OldRunsPort
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    settle_seconds: float = SETTLE_SECONDS
    clock_skew: Callable[[], float] = lambda: 0.0
    """Seconds by which this machine's clock is ahead of the ledger's. Raises Unavailable."""

    def plan(self, days: int) -> Expired:
        """Return what a round would remove now; nothing if `days` is 0. Raises Unavailable."""
        if not days:
            return NOTHING
        before = self.now() - timedelta(days=days)
        pinned, needed = self.records.pinned(), self.records.needed_submissions(before)
        jobs = self.records.expired(before, limit=PER_ROUND)
        old_logs = self.files.old_logs(before, limit=PER_ROUND + len(pinned))
        alive = set(self.records.known(old_logs)) - set(jobs)
        old_runs = self.runs.old_runs(before, limit=PER_ROUND + len(pinned))
        old = [*self.files.left_aside(), *self.files.old_submissions(before, limit=PER_ROUND + len(needed))]
        return Expired(
            before=before,
            jobs=jobs,
            submissions=[one for one in old if one not in needed][:PER_ROUND],
            logs=[job_id for job_id in old_logs if job_id not in alive and job_id not in pinned],
            runs=[run for run in self._owned(old_runs, old_jobs=jobs) if run.job_id not in pinned],
        )

    def _owned(self, runs: Sequence[OldRun], *, old_jobs: Sequence[str]) -> Sequence[OldRun]:
        """The runs with their jobs according to the ledger, without runs of jobs that stay, however old MLflow says."""
        owners = self.results.owners([run.run_id for run in runs])
        owned = [replace(run, job_id=owners.get(run.run_id, run.job_id)) for run in runs]
        alive = set(self.records.known(sorted(set(owners.values())))) - set(old_jobs)
        return [run for run in owned if run.run_id not in owners or run.job_id not in alive]

    def carry_out(self, days: int) -> Expired:
        """Carry out the plan. Returns what was removed; if one part does not answer, the rest is still removed.

        Raises Unavailable, and Conflict if the ages of files cannot be known.
        """
        if not days:
            return NOTHING
        if abs(self.clock_skew()) > MOST_RETENTION_SKEW_SECONDS:
            raise Conflict(
                f"The gateway's clock is {told(self.clock_skew())}. Nothing is removed for its age until they agree."
            )
        plan = self.plan(days)
        runs = [run for run in plan.runs if self._unpinned(run.job_id, partial(self.runs.remove_run, run))]
        kept_runs = {run.job_id for run in plan.runs} - {run.job_id for run in runs}
        logs = [one for one in plan.logs if self._unpinned(one, partial(self.files.remove_log, one))]
        gone = [one for one in plan.jobs if one not in kept_runs]
        jobs = [one for one in gone if _done(partial(self.records.forget, one))]
        submissions, settled = self._submissions(plan)
        stayed = len(plan.runs) + len(plan.logs) + len(plan.jobs) - len(runs) - len(logs) - len(jobs)
        done = replace(plan, runs=runs, logs=logs, jobs=jobs, submissions=submissions)
        done = replace(done, hindered=stayed > 0 or not settled)
        done = replace(done, trimmed=self.records.trim(plan.before))
        log.info("retention", jobs=len(jobs), submissions=len(done.submissions), logs=len(logs), runs=len(runs))
        return done

    def _unpinned(self, job_id: str, step: Callable[[], None]) -> bool:
        """Whether the step was carried out; it is not for a job that was pinned since the plan was made."""

        def carried_out() -> None:
            if job_id in self.records.pinned():
                raise Conflict("It was pinned meanwhile.")
            step()

        return _done(carried_out)

    def _submissions(self, plan: Expired) -> tuple[list[str], bool]:
        """Put submissions aside, check once more, then remove them; one that a new job needs is put back.

        The same is done for submissions that a dead process left aside. Returns the removed ones, and whether all could
        be settled.
        """
        left = self.files.left_aside()
        try:
            needed = self.records.needed_submissions(plan.before)  # removing runs and logs took time, so ask again
        except LeadersboardError:
            return [], False
        new = [one for one in plan.submissions if one not in left and one not in needed]
        aside = [*left, *filter(self.files.put_aside, new)]
        if not aside:
            return [], True
        removed: list[str] = []
        settled = True
        try:
            time.sleep(self.settle_seconds)
            needed = self.records.needed_submissions(plan.before)
        except LeadersboardError:
            needed, settled = frozenset(aside), False
        for submission_id in aside:
            stays = submission_id in needed
            done = _done(partial(self.files.put_back if stays else self.files.remove_aside, submission_id))
            settled = settled and done
            removed += [submission_id] if done and not stays else []
        return removed, settled


def _done(step: Callable[[], None]) -> bool:
    try:
        step()
    except LeadersboardError as error:
        log.warning("not removed", error=str(error))
        return False
    return True
