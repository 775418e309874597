"""The ledger in memory: the twin of RedisJobStatus for tests, held to the same contract."""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from core.adapters.memory_job_records import MemoryJobRecords
from core.adapters.memory_leases import UNTIL_TOLD, MemoryLeases
from core.domain.errors import Conflict
from core.domain.job import TOO_LATE_TO_CANCEL, Claim, Job, JobState, Outcome, Phase
from core.domain.verdict import FailureReason
from core.ports.job_status import Swept


@dataclass
class MemoryJobStatus(MemoryJobRecords):
    """JobStatusPort and RateLimitPort for one process."""

    _leases: MemoryLeases = field(init=False)

    def __post_init__(self) -> None:
        self._leases = MemoryLeases(self._clocked)

    def _clocked(self) -> float:
        return self.clock()

    def _aside(self) -> Container[str]:
        return {job_id for job_id, since in self._leases.orphans.items() if since == UNTIL_TOLD}

    def claim(
        self,
        resource_class: str,
        *,
        worker: str,  # noqa: ARG002 the port's
        lease_seconds: float,
        running_limit: int,
        host: str = "",
    ) -> Claim | None:
        with self._lock:
            for job in map(self.get, self._leases.available()):
                if job.host == host:
                    return self._lease(job, lease_seconds)
            for job in self._fair_order(resource_class):
                if self._running(job.user_id) < running_limit:
                    return self._lease(self._begun(job, host), lease_seconds)
        return None

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

    def finish(self, claim: Claim, outcome: Outcome) -> Job:
        with self._fenced(claim) as job:
            if outcome.refund:
                self.refund(job.user_id, job.job_id)
            ended = replace(
                job,
                run_id=outcome.run_id,
                failure_reason=outcome.reason,
                error_message=outcome.message,
                peaks=dict(outcome.peaks),
            )
            return self._close(ended, outcome.state)

    def hand_back(self, claim: Claim, *, count_attempt: bool) -> Job:
        with self._fenced(claim) as job:
            if job.cancel_requested:
                return self._close(job, JobState.CANCELLED)
            return self._requeue(job, counted=count_attempt)

    def leave(self, claim: Claim, *, until_told: bool = False) -> Job:
        with self._fenced(claim) as job:
            if job.cancel_requested:
                return self._close(job, JobState.CANCELLED)
            self._leases.leave(job.job_id, UNTIL_TOLD if until_told else self.clock())
            return job

    def orphans(self, host: str) -> int:
        with self._lock:
            return sum(self.get(job_id).host == host for job_id in self._leases.available())

    def waiting_results(self, host: str) -> int:
        return len(self._untold(host))

    def release_results(self, host: str) -> int:
        with self._lock:
            found = self._untold(host)
            for job_id in found:
                self._leases.leave(job_id, self.clock())
        return len(found)

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
            expired, found = self._leases.expired(), []
            for job in map(self.get, expired):
                if job.cancel_requested:
                    found.append(self._close(job, JobState.CANCELLED))
                elif not self._leases.may_recover(job):
                    found.append(self._again(job, max_attempts))
                elif job.sandbox is None:
                    found.append(self._requeue(job, counted=False))
                else:
                    self._leases.leave(job.job_id, self.clock())
                    found.append(job)
            overdue = map(self.get, self._leases.cancels_overdue())
            found += [self._close(job, JobState.CANCELLED) for job in overdue]
            alone = map(self.get, self._leases.orphans if self._leases.has_listened(host_patience) else ())
            lost = [job for job in alone if not self._leases.is_there(job.host)]
            found += [self._again(job, max_attempts) for job in lost]
        latest = {job.job_id: self.get(job.job_id) for job in found}.values()
        by_state = {state: tuple(job for job in latest if job.state is state) for state in JobState}
        ended = tuple(job for job in latest if job.is_final)
        return Swept(requeued=by_state[JobState.PENDING], ended=ended, orphaned=by_state[JobState.RUNNING])

    def _again(self, job: Job, max_attempts: int) -> Job:
        if job.cancel_requested:
            return self._close(job, JobState.CANCELLED)
        if job.attempt < max_attempts:
            return self._requeue(job, counted=True)
        self.refund(job.user_id, job.job_id)
        failed = replace(job, failure_reason=FailureReason.PLATFORM, error_message="attempts used up")
        return self._close(failed, JobState.FAILED)

    def _requeue(self, job: Job, *, counted: bool) -> Job:
        self._leases.forget(job.job_id, attempt_too=counted)
        job = replace(job, attempt=job.attempt - (not counted))
        pending = self._move(job, JobState.PENDING, phase=Phase.QUEUED)
        return self._store(replace(pending, sandbox=None, host=None, sealed=False))

    def _close(self, job: Job, to: JobState) -> Job:
        self._leases.forget(job.job_id)
        return self._store(replace(self._move(job, to, phase=Phase.DONE), finished_at=self._now()))

    @contextmanager
    def _fenced(self, claim: Claim) -> Iterator[Job]:
        with self._lock:
            self._leases.check(claim)
            yield self._jobs[claim.job_id]
