"""The ledger in memory: the twin of RedisJobStatus for tests, held to the same contract."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from core.domain.errors import Conflict
from core.domain.job import (
    ATTEMPTS_USED_UP,
    HOST_GONE,
    LOST_TOO_OFTEN,
    MAX_LOSSES,
    RUNNER_GONE,
    TOO_LATE_TO_CANCEL,
    Claim,
    Job,
    JobState,
    Outcome,
    Phase,
)
from core.domain.sealed_result import SealedResult
from core.domain.verdict import FailureReason
from core.ports.job_status import Swept
from tests.twins.held_jobs import MemoryHeldJobs
from tests.twins.leases import UNTIL_TOLD


@dataclass
class MemoryJobStatus(MemoryHeldJobs):
    """JobStatusPort and RateLimitPort for one process."""

    results: dict[str, SealedResult] = field(default_factory=dict)
    """Sealed, by job; MemoryResults reads them."""
    runs: dict[str, str] = field(default_factory=dict)
    """Runs at the tracking server that were begun, with the job of each."""

    def claim(
        self,
        resource_class: str,
        *,
        worker: str,
        lease_seconds: float,
        running_limit: int,
        host: str = "",
    ) -> Claim | None:
        with self._lock:
            held = [job for job in map(self.get, self._leases.living()) if job.host == host]
            if any(map(self._suspects.is_alone, held)):
                return None
            left = ((self.get(job_id), self._leases.orphans[job_id]) for job_id in self._leases.available())
            job, waits = self._suspects.orphan([one for one in left if one[0].host == host], held=len(held))
            if job is None and not waits:
                fair = [
                    one
                    for one in self._fair_order(resource_class)
                    if one.trial or self._running(one.user_id) < running_limit
                ]
                found = self._suspects.pending(fair, resource_class, host, held=len(held))
                job = self._begun(found, host) if found else None
            if job is None:
                return None
            self._suspects.taken(job, host)
            return self._lease(job, lease_seconds)

    def _begun(self, job: Job, host: str) -> Job:
        job = self._move(job, JobState.RUNNING, phase=Phase.PREPARING)
        return self._store(
            replace(job, attempt=job.attempt + 1, started_at=job.started_at or self._now(), host=host, sandbox=None)
        )

    def _lease(self, job: Job, lease_seconds: float) -> Claim:
        token = secrets.token_hex(16)
        self._leases.take(job.job_id, token, lease_seconds)
        return Claim(job=job, token=token)

    def renew(self, claim: Claim, *, lease_seconds: float) -> bool:
        with self._fenced(claim) as job:
            self._leases.take(job.job_id, claim.token, lease_seconds)
            return job.cancel_requested

    def note(
        self,
        claim: Claim,
        *,
        phase: Phase | None = None,
        device: str | None = None,
        sandbox: str | None = None,
        logged: bool = False,
    ) -> None:
        with self._fenced(claim) as job:
            changes = {"phase": phase, "device": device, "sandbox": sandbox, "logged": logged}
            known = {name: value for name, value in changes.items() if value}
            self._store(replace(job, updated_at=self._now(), **known))  # type: ignore[arg-type]

    def seal(self, claim: Claim) -> bool:
        with self._fenced(claim) as job:
            if not job.cancel_requested:
                self._store(replace(job, sealed=True))
            return not job.cancel_requested

    def note_run(self, claim: Claim, run_id: str) -> None:
        with self._fenced(claim) as job:
            self.runs[run_id] = job.job_id
            self._store(replace(job, begun_run=run_id, updated_at=self._now()))

    def finish(self, claim: Claim, outcome: Outcome, result: SealedResult | None = None) -> Job:
        with self._fenced(claim) as job:
            if outcome.refund:
                self.refund(job.user_id, job.job_id)
            if result is not None:
                self.results[job.job_id] = result
            if outcome.run_id is not None:
                self.runs[outcome.run_id] = job.job_id
            ended = replace(
                job,
                run_id=outcome.run_id,
                failure_reason=outcome.reason,
                error_message=outcome.message,
                peaks=dict(outcome.peaks),
                notes=outcome.notes,
                ranked=outcome.ranked,
                unranked_because=outcome.unranked_because,
            )
            return self._close(ended, outcome.state)

    def hand_back(self, claim: Claim, *, count_attempt: bool, why: str = "") -> Job:
        with self._fenced(claim) as job:
            if job.cancel_requested:
                if job.attempt == 1 and not count_attempt:
                    self.give_back(job)
                return self._close(job, JobState.CANCELLED)
            return self._requeue(job, counted=count_attempt, why=why)

    def leave(self, claim: Claim, *, until_told: bool = False) -> Job:
        with self._fenced(claim) as job:
            if job.cancel_requested:
                return self._close(job, JobState.CANCELLED)
            self._leases.leave(job.job_id, UNTIL_TOLD if until_told else self.clock())
            if until_told:
                self._results.left(job.job_id)
            return job

    def is_held(self, job_id: str) -> bool:
        with self._lock:
            return self._leases.lives(job_id)

    def orphans(self, host: str) -> int:
        with self._lock:
            return sum(self.get(job_id).host == host for job_id in self._leases.available())

    def waiting_results(self, host: str) -> int:
        return len(self._untold(host))

    def recording_turn(self, host: str, *, jitter: float) -> bool:
        with self._lock:
            waits = self._leases.is_untold
            return bool(self._untold(host)) and self._results.turn(waits, jitter=jitter)

    def release_results(self, host: str) -> int:
        with self._lock:
            found = self._results.released(self._untold(host))
            for job_id in found:
                self._leases.leave(job_id, self.clock())
        return len(found)

    def recording_in_vain(self, *, jitter: float) -> None:
        with self._lock:
            self._results.in_vain(jitter=jitter)

    def _untold(self, host: str) -> list[str]:
        with self._lock:
            waiting = [job_id for job_id, since in self._leases.orphans.items() if since == UNTIL_TOLD]
            return [job_id for job_id in waiting if self.get(job_id).host == host]

    def cancel(self, job_id: str) -> Job:
        with self._lock:
            job = self.get(job_id)
            if job.state is JobState.CANCELLED:
                return job
            if job.is_final:
                raise Conflict("This job has already ended.")
            if job.sealed:
                raise Conflict(TOO_LATE_TO_CANCEL)
            job = replace(job, cancel_requested=True)
            if job.state is JobState.PENDING:
                if not job.attempt:
                    self.give_back(job)
                return self._close(job, JobState.CANCELLED)
            self._leases.cancel_asked(job_id)
            return self._store(job)

    def presume_dead(self, job_id: str, mark: str) -> bool:
        with self._lock:
            return self._leases.end(job_id, mark)

    def sweep(self, *, max_attempts: int, host: str = "", host_patience: float = 60.0) -> Swept:
        with self._lock:
            self._leases.announce(host, host_patience)
            self._leases.listen()
            self._leases.settle()
            found = [self._lost_its_runner(self.get(job_id)) for job_id in self._leases.expired()]
            overdue = map(self.get, self._leases.cancels_overdue())
            found += [self._cancelled(job) for job in overdue]
            alone = map(self.get, self._leases.orphans if self._leases.has_listened(host_patience) else ())
            lost = [job for job in alone if not self._leases.is_there(job.host)]
            found += [self._again(job, max_attempts) for job in lost]
        latest = {job.job_id: self.get(job.job_id) for job in found}.values()
        by_state = {state: tuple(job for job in latest if job.state is state) for state in JobState}
        ended = tuple(job for job in latest if job.is_final)
        return Swept(requeued=by_state[JobState.PENDING], ended=ended, orphaned=by_state[JobState.RUNNING])

    def _lost_its_runner(self, job: Job) -> Job:
        if job.cancel_requested:
            return self._cancelled(job)
        job = self._store(replace(job, losses=job.losses + 1))
        if job.losses >= MAX_LOSSES:
            return self._give_up(job, LOST_TOO_OFTEN)
        if job.sandbox is None:
            return self._requeue(job, counted=False, why=RUNNER_GONE)
        self._leases.leave(job.job_id, self.clock())
        return job

    def _again(self, job: Job, max_attempts: int) -> Job:
        if job.cancel_requested:
            return self._close(job, JobState.CANCELLED)
        if job.attempt < max_attempts:
            return self._requeue(job, counted=True, why=HOST_GONE)
        return self._give_up(job, ATTEMPTS_USED_UP)

    def _give_up(self, job: Job, message: str) -> Job:
        self.refund(job.user_id, job.job_id)
        failed = replace(job, failure_reason=FailureReason.PLATFORM, error_message=message)
        return self._close(failed, JobState.FAILED)
