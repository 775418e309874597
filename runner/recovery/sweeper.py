"""Mends what a crash left: claims of dead processes, lost doorbells, runs and folders without a running job."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from core.domain.errors import NotFound, Unavailable
from core.domain.job import MAX_ATTEMPTS, Job, JobState
from core.domain.limits import ResourceClass
from core.ports.benchmarks import BenchmarkPort
from core.ports.job_queue import JobQueuePort
from core.ports.job_status import JobStatusPort
from core.ports.results import ResultsPort
from core.ports.runners import RunnersPort
from core.ports.sandbox import SandboxPort
from core.ports.tracking import TrackingPort
from runner.dead_letters import PostMortem
from runner.job_log.final_line import say_end
from runner.lease.claim_locks import HeldClaims
from runner.recovery.janitor import Janitor
from runner.recovery.left_folders import LeftFolders
from runner.recovery.overdue import OverdueRuns
from runner.recovery.periodic import Round, Step, attempted
from runner.recovery.site_names import SiteNames
from runner.recovery.stale_results import ClosedRuns
from runner.recovery.temporary_files import TemporaryFiles
from runner.recovery.tracking import TrackingSteps

TICK_SECONDS = 1.0
TIDY_SECONDS = 60.0
TEMPORARY_SECONDS = 20.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweeper:
    """Safe in every runner at once: each step is atomic in the ledger or may be repeated."""

    job_status: JobStatusPort
    job_queue: JobQueuePort
    runners: RunnersPort
    tracking: TrackingPort
    results: ResultsPort
    benchmarks: BenchmarkPort
    engine: SandboxPort
    held: HeldClaims
    janitor: Janitor
    site_names: SiteNames
    host: str
    resource_classes: Mapping[str, ResourceClass]
    job_root: Path
    log_root: Path
    post_mortem: PostMortem
    host_patience: float = 60.0
    counts: Counter[str] = field(default_factory=Counter)
    """What was mended since this process began; the runners' port has the counts of all processes."""
    freed: threading.Event = field(default_factory=threading.Event)
    """Set when the ledger ended a job whose run may still be in the engine."""
    in_hand: Collection[str] = frozenset()
    """The jobs that this process holds."""
    needed: dict[tuple[str, str], float] = field(default_factory=dict)
    """Runs that the engine had and that were needed at the last look: by job and claim, with the seconds that each is
    kept once it has failed."""
    unsaid: deque[Job] = field(default_factory=deque)
    """Jobs that the ledger ended and whose logs have no last line yet."""
    closed: ClosedRuns = field(default_factory=ClosedRuns)

    def rounds(self, every_seconds: float) -> tuple[Round, ...]:
        """The steps by part. What a user waits for is checked each second."""
        often, tracked = min(TICK_SECONDS, every_seconds), self._tracked
        paces: Mapping[str, tuple[tuple[float, Step], ...]] = {
            "locks": ((often, self._dead_claims),),
            "ledger": ((often, self._claims), (every_seconds, self._doorbells)),
            "engine": (
                (often, self._freed),
                (every_seconds, self._leftovers),
            ),
            "folders": (  # and the engine, for what these files say of it
                (every_seconds, self._overdue),
                (every_seconds, self._folders),
                (every_seconds, self._of_dead_processes),
                (TIDY_SECONDS, self._canaries),
            ),
            "tracking": (
                (every_seconds, tracked.waiting_results),
                (TIDY_SECONDS, tracked.old_results),  # first: then the ledger knows the job of each run
                (TIDY_SECONDS, tracked.open_runs),
                (TIDY_SECONDS, tracked.untrue),
            ),
            "files": ((often, self._last_lines), (TEMPORARY_SECONDS, self._temporary)),
        }
        return tuple(
            Round(part=part, steps=tuple((seconds, self.post_mortem.of(step)) for seconds, step in steps))
            for part, steps in paces.items()
        )

    def sweep(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """Runs once all steps that are due every few seconds; begins no further step once `is_over` returns True."""
        first = (self._dead_claims, self._claims, self._last_lines, self._tracked.waiting_results)
        for step in (*first, self._doorbells, self._overdue, self._of_dead_processes, self._leftovers, self._folders):
            if not is_over():
                attempted(self.post_mortem.of(step))

    def tidy(self) -> None:
        """Runs once the steps that no user waits for."""
        tracked = self._tracked
        for step in (tracked.old_results, tracked.open_runs, tracked.untrue, self._canaries, self._temporary):
            attempted(self.post_mortem.of(step))

    def _of_dead_processes(self) -> None:
        self._tell_of(self.janitor.of_the_dead())

    def _canaries(self) -> None:
        self._tell_of(self.janitor.old())

    def _tell_of(self, cleared: Iterator[tuple[str, int]]) -> None:
        for what, things in cleared:
            if things:
                self._count(what, "", things=things)

    @property
    def _tracked(self) -> TrackingSteps:
        return TrackingSteps(
            job_status=self.job_status, tracking=self.tracking, results=self.results, runners=self.runners,
            benchmarks=self.benchmarks, site_names=self.site_names, host=self.host, closed=self.closed,
            job_of=self._known, count=self._count,
        )  # fmt: skip

    def _dead_claims(self) -> None:
        """In a thread apart from the ledger's steps: storage that hangs or fails holds up no lease and no cancel."""
        for job_id, mark in self.held.dead():
            if self.job_status.presume_dead(job_id, mark):
                self._count("dead claim", job_id)

    def _claims(self) -> None:
        swept = self.job_status.sweep(max_attempts=MAX_ATTEMPTS, host=self.host, host_patience=self.host_patience)
        for job in (*swept.requeued, *swept.ended, *swept.orphaned):
            self._count("lease", job.job_id, state=job.state, attempt=job.attempt)
        if swept.ended:
            self.unsaid.extend(swept.ended)
            self.freed.set()
        if self.job_status.orphans(self.host) and self.job_queue.silent(self.host):
            self.job_queue.ring(self.host)

    def _last_lines(self) -> None:
        """BOX-10, also when no runner is left to write it. A disk that hangs holds up only this step."""
        with suppress(IndexError):  # another thread may have been waiting for the disk in the first sweep
            while True:
                say_end(self.log_root, self.unsaid.popleft())

    def _freed(self) -> None:
        """Removes runs that just ended, also by another process: asks the ledger, which costs less than the engine."""
        if self.freed.is_set() or not all(
            self._needed(self._known(job_id), claim, kept) for (job_id, claim), kept in tuple(self.needed.items())
        ):
            self.freed.clear()
            self._leftovers()

    def _temporary(self) -> None:
        files = TemporaryFiles(held=self.held, log_root=self.log_root)
        for name in files.clear(lambda job_id: (job := self._known(job_id)) is None or job.is_final):
            self._count("temporary file", "", name=name)

    def _doorbells(self) -> None:
        for name in self.resource_classes:
            if self.job_status.pending(name) and self.job_queue.silent(name):
                self.job_queue.ring(name)
                self._count("doorbell", "", resource_class=name)  # lost, or answered while its user was at the limit

    def _overdue(self) -> None:
        """Ends runs past their time that no runner watches; the next runner finds the reason."""
        overdue = OverdueRuns(
            engine=self.engine, host=self.host, resource_classes=self.resource_classes,
            is_held=self.job_status.is_held, in_hand=self.in_hand,
        )  # fmt: skip
        for job_id in overdue.end(self._run_folders.live()):
            self._count("overdue run", job_id)

    def _leftovers(self) -> None:
        """Asks the engine before the ledger, so that what is launched meanwhile is not in the answer."""
        runs = self.engine.runs().union(*(self.engine.runs(site=name) for name in self.site_names.all()))
        self.needed.clear()
        for job_id, claim in runs:
            job = self._known(job_id)
            failed = job is not None and job.state is JobState.FAILED
            kept = self.engine.kept_seconds(job_id, claim=claim) if failed else 0.0
            if self._needed(job, claim, kept):
                self.needed[job_id, claim] = kept
            else:
                self._count("leftovers", job_id, things=self.engine.remove_leftovers(job_id, claim=claim))

    def _needed(self, job: Job | None, claim: str, kept_seconds: float) -> bool:
        """Whether the run goes on, or failed less than `kept_seconds` ago and is kept for admins."""
        if job is None or job.sandbox != claim:
            return False
        if job.state is JobState.FAILED and job.finished_at is not None:
            kept = timedelta(seconds=kept_seconds)
            return bool(kept) and job.finished_at > self.job_status.now() - kept
        return job.state is JobState.RUNNING

    def _folders(self) -> None:
        for name in self._run_folders.clear():
            self._count("folder", name)

    @property
    def _run_folders(self) -> LeftFolders:
        return LeftFolders(job_root=self.job_root, job_of=self._known)

    def _known(self, job_id: str) -> Job | None:
        try:
            return self.job_status.get(job_id)
        except NotFound:
            return None

    def _count(self, what: str, job_id: str, **facts: object) -> None:
        self.counts[what] += 1
        log.warning("swept", what=what, job_id=job_id, **facts)
        with suppress(Unavailable):  # the log has it
            self.runners.count_mended(what)
