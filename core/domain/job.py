"""A job: one run of one submission, its states and the table of allowed moves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.domain.verdict import FailureReason, Verdict


class JobState(StrEnum):
    """The states of a job. A final state never changes."""

    PENDING = "pending"
    """Accepted; waits for a runner, or until its user has fewer running jobs."""
    RUNNING = "running"
    """A runner holds its lease."""
    COMPLETED = "completed"
    """Final: its metrics are recorded."""
    FAILED = "failed"
    """Final: `failure_reason` and `error_message` say why."""
    CANCELLED = "cancelled"
    """Final: its owner or an admin stopped it."""


MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.PENDING: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset({JobState.PENDING, JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED}),
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}
FINAL = frozenset(state for state, moves in MOVES.items() if not moves)


class Phase(StrEnum):
    """The step at which a runner is with a job. Finer than the state; no decision depends on it."""

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    COLLECTING = "collecting"
    SCORING = "scoring"
    """Only of a benchmark that the platform scores itself."""
    RECORDING = "recording"
    DONE = "done"


MAX_ATTEMPTS = 3
MAX_LOSSES = 5
"""A job that lost its runner so often, over all attempts, is ended: it is assumed to be the cause."""
SUSPECT_LOSSES = 2
"""From so many losses on, a job runs alone on its host, so that it cannot kill the runners of other jobs."""
ALONE_SECONDS = 300.0
"""The longest time that a suspect waits for a host without other jobs, and that it then has the host to itself."""
LOST_TOO_OFTEN = f"This job lost its runner {MAX_LOSSES} times and was given up. It does not count towards your limit."
ATTEMPTS_USED_UP = "The platform lost this run several times and gave up. It was not your submission's fault."
HOST_GONE = "the host of its last run was not heard of any more"
RUNNER_GONE = "its runner was lost before the run had begun"
LONGEST_LEASE_SECONDS = 600.0
CANCEL_SECONDS = 6.0
"""A runner that has not carried out a cancel by then is no longer waited for (JOB-8: gone within 10 s)."""
TOO_LATE_TO_CANCEL = "This job has run to its end and its result is being recorded: it cannot be cancelled any more."
UNSWEPT_SECONDS = 10.0
"""Runners sweep every second. After a longer gap without a sweep, a missing renewal proves nothing yet."""
HEARING_SECONDS = 8.0
"""Grace period for lease holders after such a gap: longer than one heartbeat plus one failed attempt."""


MOST_GIVEN_BACK = 100
"""Places per hour that a user gets back for jobs cancelled before they started; bounded since each leaves a record."""
MARK_LENGTH = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRequest:
    """A user's request to run a submission. Two equal requests are the same job (JOB-2)."""

    submission_id: str
    user_id: str
    resource_class: str
    benchmark: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str = ""
    rerun_of: str | None = None
    trial: bool = False
    """A short run on a few pictures, of which nothing is recorded."""

    @property
    def job_id(self) -> str:
        """32 hex digits (JOB-2): a hash of the user's idempotency key if given, else of the whole request."""
        return _digest("key", self.user_id, self.idempotency_key) if self.idempotency_key else self.fingerprint

    @property
    def fingerprint(self) -> str:
        """Equal for equal requests. The same idempotency key with another fingerprint is an error."""
        parts = [self.user_id, self.submission_id, self.resource_class, self.benchmark, self.overrides]
        return _digest(*parts, self.rerun_of or "", *(["trial"] if self.trial else []))


def _digest(*parts: Any) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A job's record in the ledger. Times are UTC."""

    job_id: str
    submission_id: str
    user_id: str
    resource_class: str
    benchmark: str
    overrides: Mapping[str, Any]
    state: JobState
    phase: Phase
    attempt: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    run_id: str | None = None
    failure_reason: FailureReason | None = None
    error_message: str | None = None
    device: str | None = None
    cancel_requested: bool = False
    peaks: Mapping[str, float] = field(default_factory=dict)
    rerun_of: str | None = None
    """The job that this one repeats."""
    sandbox: str | None = None
    """Name of this attempt's run in the engine and on disk, set before the run is created; None if there is none."""
    host: str | None = None
    """The engine in which the run is."""
    sealed: bool = False
    """Its result is being made final at the tracking server, or has been: from now on it cannot be cancelled."""
    begun_run: str | None = None
    """The run at the tracking server into which its result was last being written; no other run is taken for it."""
    losses: int = 0
    """How many runners this job has lost, over all attempts."""
    again_because: str | None = None
    """Why it went back into the queue the last time; written to its log."""
    notes: tuple[str, ...] = ()
    """Sentences on what of a completed run's report does not count, or counts under another name; bounded."""
    ranked: bool | None = None
    """Whether its benchmark ranked the completed run when it ended, or would have ranked a trial; None if unknown."""
    unranked_because: str | None = None
    trial: bool = False
    """A short run on a few pictures, of which nothing is recorded; it is on no board."""
    logged: bool = False
    """Its log was begun. If not, an existing log of this id is from before an older ledger was restored."""

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def is_suspect(self) -> bool:
        """Whether this job may be the cause of its runners' deaths."""
        return self.losses >= SUSPECT_LOSSES


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A runner's right to a job until its lease runs out; a newer `token` invalidates every older claim."""

    job: Job
    token: str

    @property
    def job_id(self) -> str:
        return self.job.job_id

    @property
    def mark(self) -> str:
        """The beginning of the token, long enough to tell this claim from every other in a name."""
        return self.token[:MARK_LENGTH]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a job ended, as the runner reports it to the ledger."""

    state: JobState
    reason: FailureReason | None = None
    message: str | None = None
    run_id: str | None = None
    peaks: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ranked: bool | None = None
    unranked_because: str | None = None
    refund: bool = False
    """True if the platform failed: the job does not count towards its user's hourly limit."""

    @classmethod
    def of(cls, verdict: Verdict, *, peaks: Mapping[str, float], run_id: str | None = None) -> Outcome:
        """The outcome for a verdict; a failure of the platform is refunded."""
        if verdict.cancelled:
            return cls(state=JobState.CANCELLED, message=verdict.message, peaks=peaks)
        if verdict.passed:
            return cls(
                state=JobState.COMPLETED,
                run_id=run_id,
                peaks=peaks,
                notes=verdict.notes,
                ranked=verdict.ranked,
                unranked_because=verdict.unranked_because,
                refund=verdict.refunded,
            )
        refund = verdict.reason is FailureReason.PLATFORM
        return cls(state=JobState.FAILED, reason=verdict.reason, message=verdict.message, peaks=peaks, refund=refund)
