"""The ledger: the truth about every job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.domain.job import Claim, Job, JobRequest, JobState, Outcome, Phase
from core.domain.limits import Allowance, UserLimits
from core.domain.sealed_result import SealedResult


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """An accepted job and what its user may still post; `created` is False if the request had been accepted before."""

    job: Job
    created: bool
    allowance: Allowance
    queue_position: int | None = None
    """1 = next; None if it does not wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPage:
    """Some jobs, newest first, and the cursor of the next page (None at the end)."""

    jobs: Sequence[Job]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Swept:
    """The changes of one sweep: jobs put back into the queue, ended as failed or cancelled, or left to their host."""

    requeued: Sequence[Job] = ()
    ended: Sequence[Job] = ()
    orphaned: Sequence[Job] = ()


class JobStatusPort(Protocol):
    """The ledger. Every method is one atomic step; all raise Unavailable if the ledger does not answer.

    Times come from the ledger's own clock, so that machines whose clocks differ agree.
    """

    def admit(self, request: JobRequest, limits: UserLimits) -> Admission:
        """Record the job as pending and count it, in one step. The same request again returns the same job.

        A trial is counted among the user's trials alone, takes no place among running jobs, and waits before all jobs.

        Raises LimitReached, and KeyReused if the idempotency key belongs to another request; then nothing was recorded.
        """
        ...

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def positions(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        """Positions of the pending ones of these jobs in the queues of their classes, 1 = next; one call for a page."""
        ...

    def list_jobs(
        self,
        *,
        user_id: str | None = None,
        state: JobState | None = None,
        benchmark: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Jobs, newest first, of one user or of all. Raises InvalidInput for an invalid cursor.

        Trials are in no list of a benchmark.
        """
        ...

    def claim(
        self, resource_class: str, *, worker: str, lease_seconds: float, running_limit: int, host: str = ""
    ) -> Claim | None:
        """Claim a job of this host that lost its runner, else the next pending job of the class. None if there is none.

        Next is the trial that waits longest, then the job of the user with the fewest running jobs, among equals the
        longest-waiting; users with `running_limit` running jobs are skipped, except for trials. A job that has a
        `sandbox` is to be taken over, not started.

        A suspect job (`Job.is_suspect`) is claimed only if the host's runners hold no other job; while it runs alone,
        they claim nothing. While a suspect waits for that, one host claims nothing new. Each of these phases ends after
        ALONE_SECONDS.
        """
        ...

    def renew(self, claim: Claim, *, lease_seconds: float) -> bool:
        """Extend the lease. Returns True if a cancel was requested. Raises LeaseLost."""
        ...

    def note(
        self,
        claim: Claim,
        *,
        phase: Phase | None = None,
        device: str | None = None,
        sandbox: str | None = None,
        logged: bool = False,
    ) -> None:
        """Record progress of a claimed job. Raises LeaseLost."""
        ...

    def seal(self, claim: Claim) -> bool:
        """Call before a result is made final elsewhere. From now on a cancel is refused, whichever runner has the job.

        The seal ends when the job goes back into the queue. Returns False if a cancel was requested before; then
        nothing has changed. May be repeated. Raises LeaseLost.
        """
        ...

    def note_run(self, claim: Claim, run_id: str) -> None:
        """Record that this run at the tracking server is the job's, before its result is written into the run.

        The latest call counts; the record stays when the job goes back into the queue. Raises LeaseLost.
        """
        ...

    def finish(self, claim: Claim, outcome: Outcome, result: SealedResult | None = None) -> Job:
        """End a claimed job in a final state and seal its result, in one step. Raises LeaseLost."""
        ...

    def hand_back(self, claim: Claim, *, count_attempt: bool, why: str = "") -> Job:
        """Put a claimed job back into the queue, with or without this attempt counted; a cancelled job ends instead.

        `why` goes into the log of its next launch. Raises LeaseLost.
        """
        ...

    def leave(self, claim: Claim, *, until_told: bool = False) -> Job:
        """Give up the claim while the run goes on. A runner of its host takes it over, now or after `release_results`.

        A cancelled job ends. With `until_told` its result waits on disk until `release_results`, and the job does not
        count among its user's running jobs. Raises LeaseLost.
        """
        ...

    def is_held(self, job_id: str) -> bool:
        """Whether a runner has a valid lease on this job; then only that runner may touch its run."""
        ...

    def orphans(self, host: str) -> int:
        """How many jobs of this host `claim` would take over now."""
        ...

    def waiting_results(self, host: str) -> int:
        """How many jobs of this host wait for `release_results`."""
        ...

    def recording_turn(self, host: str, *, jitter: float) -> bool:
        """Whether results of this host wait and the caller shall now check if the tracking server answers.

        Only one caller of all hosts gets True at a time. It must report the outcome by `release_results` or
        `recording_in_vain`. A failed try is followed by a pause, longer each time, with `jitter` (0 to 1) for its
        random part.
        """
        ...

    def release_results(self, host: str) -> int:
        """Make waiting results of this host claimable, longest-waiting first. Returns how many.

        To be called when the tracking server answers. One result at first; twice as many with each success, up to
        MOST_AT_ONCE.
        """
        ...

    def recording_in_vain(self, *, jitter: float) -> None:
        """To be called when the tracking server does not answer: starts the next pause."""
        ...

    def cancel(self, job_id: str) -> Job:
        """Cancel a pending job at once; mark a running one, so that its runner stops it.

        Raises NotFound, and Conflict if the job has ended or is sealed.
        """
        ...

    def presume_dead(self, job_id: str, mark: str) -> bool:
        """Expire this claim now: its process is dead or gives it up. Later calls with its token raise LeaseLost.

        Returns False if this claim no longer held the job.
        """
        ...

    def sweep(self, *, max_attempts: int, host: str = "", host_patience: float = 60.0) -> Swept:
        """Settle jobs whose leases have expired, and record that this host is alive.

        Such a job is left to its host if it has a run there and the host was seen within `host_patience` seconds.
        Otherwise it goes back into the queue, or fails after `max_attempts`. After MAX_LOSSES losses of its runner,
        over all attempts, it fails in any case. A cancel that no runner has carried out is carried out in the ledger.
        After a gap between sweeps, live runners get HEARING_SECONDS to renew before anything is taken from them.
        """
        ...

    def pending(self, resource_class: str) -> int:
        """How many jobs of the class wait, trials included."""
        ...

    def completed(self, benchmark: str) -> int:
        """How many jobs of the benchmark have completed; the board changes only if this number does."""
        ...

    def now(self) -> datetime:
        """The ledger's current time."""
        ...

    def clock_skew(self) -> float:
        """Seconds by which this machine's clock is ahead of the ledger's, accurate to half a round trip."""
        ...

    def ledger_id(self, *, otherwise: str = "") -> str:
        """This ledger's own name, made once. It tells this site's containers in an engine from those of others.

        A ledger that lost its name because it was emptied gets it back from a process that has read it before, else
        from `otherwise`.
        """
        ...

    def check(self) -> None:
        """Raises Unavailable if the ledger does not answer, or would not accept a job now."""
        ...
