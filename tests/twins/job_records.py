"""What jobs there are, who posted them, in which order they wait: the part of the ledger's twin without leases."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core.adapters.redis.job_record import cursor_score
from core.domain.errors import KeyReused, LimitReached, NotFound
from core.domain.job import MOST_GIVEN_BACK, MOVES, Job, JobRequest, JobState, Phase
from core.domain.limits import Allowance, UserLimits
from core.domain.upload_counts import refusals_used_up, uploads_used_up
from core.ports.job_status import Admission, JobPage

WINDOW_SECONDS = 3600
TRIALS = "trials:"


@dataclass
class MemoryJobRecords:
    """`clock` answers seconds since 1970. A change of state that is not in MOVES raises AssertionError."""

    clock: Callable[[], float] = time.time
    _name: str = field(default_factory=lambda: secrets.token_hex(8))
    _jobs: dict[str, Job] = field(default_factory=dict)
    _fingerprints: dict[str, str] = field(default_factory=dict)
    _posted: dict[str, dict[str, float]] = field(default_factory=dict)
    _uploads: dict[str, dict[str, float]] = field(default_factory=dict)
    _refused: dict[str, dict[str, float]] = field(default_factory=dict)
    _given_back: dict[str, dict[str, float]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def admit(self, request: JobRequest, limits: UserLimits) -> Admission:
        with self._lock:
            known = self._jobs.get(request.job_id)
            if known is None:
                self._check_limits(request, limits)
                self._posted.setdefault(_counted(request), {})[request.job_id] = self.clock()
                self._fingerprints[request.job_id] = request.fingerprint
            elif self._fingerprints[request.job_id] != request.fingerprint:
                raise KeyReused("This Idempotency-Key already stands for another request of yours.")
            left = self._allowance(request, limits)
            job = known or self._new(request)
            place = self.positions([job.job_id]).get(job.job_id)
            return Admission(job=job, created=known is None, allowance=left, queue_position=place)

    def _new(self, request: JobRequest) -> Job:
        now = self._now()
        job = Job(
            job_id=request.job_id,
            submission_id=request.submission_id,
            user_id=request.user_id,
            resource_class=request.resource_class,
            benchmark=request.benchmark,
            overrides=dict(request.overrides),
            state=JobState.PENDING,
            phase=Phase.QUEUED,
            attempt=0,
            created_at=now,
            updated_at=now,
            rerun_of=request.rerun_of,
            trial=request.trial,
        )
        return self._store(job)

    def _check_limits(self, request: JobRequest, limits: UserLimits) -> None:
        allowance = self._allowance(request, limits)
        if not allowance.remaining:
            seconds = max(1, allowance.renews_in_seconds)
            raise LimitReached("hourly limit", retry_after_seconds=seconds, allowance=allowance)
        if request.trial:
            mine = [job for job in self._jobs.values() if job.trial and job.user_id == request.user_id]
            if sum(not job.is_final for job in mine) >= limits.trials_at_once:
                raise LimitReached("one trial at a time", retry_after_seconds=20, allowance=allowance)
        elif not limits.queue_when_over and self._running(request.user_id) >= limits.concurrent_running:
            raise LimitReached("running limit", retry_after_seconds=30, allowance=allowance)

    def allowance(self, user_id: str, limits: UserLimits) -> Allowance:
        return self._left(user_id, limits.jobs_per_hour)

    def _allowance(self, request: JobRequest, limits: UserLimits) -> Allowance:
        return self._left(_counted(request), limits.trials_per_hour if request.trial else limits.jobs_per_hour)

    def _left(self, counted: str, most: int) -> Allowance:
        now = self.clock()
        times = _of_this_hour(self._posted.get(counted, {}), now)
        remaining = max(0, most - len(times))
        renews = int(times[0] + WINDOW_SECONDS - now) + 1 if times else 0
        return Allowance(limit=most, remaining=remaining, renews_in_seconds=renews)

    def refund(self, user_id: str, job_id: str) -> None:
        for counted in (user_id, TRIALS + user_id):
            self._posted.get(counted, {}).pop(job_id, None)

    def give_back(self, job: Job) -> None:
        """The place in the hour of a cancelled job that never started, up to a number in an hour."""
        now, given = self.clock(), self._given_back.setdefault(job.user_id, {})
        if job.job_id in self._posted.get(_counted(job), {}) and len(_of_this_hour(given, now)) < MOST_GIVEN_BACK:
            given[job.job_id] = now
            self.refund(job.user_id, job.job_id)

    def take_upload(self, user_id: str, upload_id: str, *, per_hour: int, refused_per_hour: int) -> None:
        with self._lock:
            now = self.clock()
            stored, refused = (counts.setdefault(user_id, {}) for counts in (self._uploads, self._refused))
            bounds = ((stored, per_hour, uploads_used_up), (refused, refused_per_hour, refusals_used_up))
            for counted, most, used_up in bounds:
                times = _of_this_hour(counted, now)
                if len(times) >= most:
                    raise used_up(most, int(times[-most] + WINDOW_SECONDS - now) + 1)
            stored[upload_id] = refused[upload_id] = now

    def upload_stored(self, user_id: str, upload_id: str) -> None:
        self._refused.get(user_id, {}).pop(upload_id, None)

    def upload_refused(self, user_id: str, upload_id: str) -> None:
        self._uploads.get(user_id, {}).pop(upload_id, None)

    def give_back_upload(self, user_id: str, upload_id: str) -> None:
        self.upload_stored(user_id, upload_id)
        self.upload_refused(user_id, upload_id)

    def get(self, job_id: str) -> Job:
        with self._lock:
            if job_id not in self._jobs:
                raise NotFound("job", job_id)
            return self._jobs[job_id]

    def positions(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        with self._lock:
            classes = {self.get(job_id).resource_class for job_id in job_ids}
            orders = [enumerate(self._fair_order(name), start=1) for name in classes]
            return {job.job_id: place for order in orders for place, job in order if job.job_id in job_ids}

    def _fair_order(self, resource_class: str) -> Iterator[Job]:
        everything = sorted(self._pending(resource_class), key=lambda job: job.created_at)
        waiting = [job for job in everything if not job.trial]
        ahead: dict[str, int] = {}
        levels = []
        for job in waiting:
            level = ahead.setdefault(job.user_id, self._running(job.user_id))
            levels.append((level, job.created_at, job))
            ahead[job.user_id] = level + 1
        fair = [job for _level, _since, job in sorted(levels, key=lambda item: item[:2])]
        return iter([job for job in everything if job.trial] + fair)

    def list_jobs(
        self,
        *,
        user_id: str | None = None,
        state: JobState | None = None,
        benchmark: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        before = cursor_score(cursor) if cursor else float("inf")
        with self._lock:
            found = sorted(
                (
                    job
                    for job in self._jobs.values()
                    if user_id in {None, job.user_id}
                    and state in {None, job.state}
                    and benchmark in {None, None if job.trial else job.benchmark}
                    and job.created_at.timestamp() < before
                ),
                key=lambda job: job.created_at,
                reverse=True,
            )
        last = found[limit - 1].created_at.timestamp() if len(found) > limit else None
        return JobPage(jobs=tuple(found[:limit]), next_cursor=None if last is None else f"{last:.6f}")

    def pending(self, resource_class: str) -> int:
        return len(self._pending(resource_class))

    def completed(self, benchmark: str) -> int:
        return len(self.list_jobs(benchmark=benchmark, state=JobState.COMPLETED, limit=len(self._jobs)).jobs)

    def now(self) -> datetime:
        return self._now()

    def clock_skew(self) -> float:
        return time.time() - self.clock()

    def ledger_id(self, *, otherwise: str = "") -> str:
        return self._name

    def check(self) -> None:
        return

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def _running(self, user_id: str) -> int:
        mine = [job for job in self._jobs.values() if job.user_id == user_id and job.job_id not in self._aside()]
        return sum(job.state is JobState.RUNNING and not job.trial for job in mine)

    def _aside(self) -> Container[str]:
        """Running jobs that take no place of their user's."""
        return ()

    def _pending(self, resource_class: str) -> Sequence[Job]:
        jobs = self._jobs.values()
        return [job for job in jobs if job.state is JobState.PENDING and job.resource_class == resource_class]

    def restore(self, job: Job) -> Job:
        """Put this record in place of the job's, whatever its state, as a restored backup does."""
        self._jobs[job.job_id] = job
        return job

    def _store(self, job: Job) -> Job:
        """Store a record whose state is as it was."""
        known = self._jobs.get(job.job_id)
        if known is not None and known.state is not job.state:
            raise AssertionError(f"{known.state} became {job.state} without a move")
        self._jobs[job.job_id] = job
        return job

    def _move(self, job: Job, to: JobState, *, phase: Phase) -> Job:
        known = self._jobs[job.job_id]
        if to not in MOVES[known.state]:
            raise AssertionError(f"{known.state} cannot become {to}")
        moved = replace(job, state=to, phase=phase, updated_at=self._now())
        self._jobs[job.job_id] = moved
        return moved


def _counted(job: Job | JobRequest) -> str:
    """Where it counts: among its user's jobs, or among its user's trials."""
    return TRIALS + job.user_id if job.trial else job.user_id


def _of_this_hour(counted: dict[str, float], now: float) -> list[float]:
    """When they were counted; what a clock that was set back says was counted in an hour to come is of this one."""
    counted.update({one: min(when, now) for one, when in counted.items()})
    return sorted(when for when in counted.values() if when > now - WINDOW_SECONDS)
