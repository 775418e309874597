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
    """An accepted job (`created` is False when the request was accepted before) and what its user may still post."""

    job: Job
    created: bool
    allowance: Allowance
    queue_position: int | None = None
    """1 = next; None when it does not wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobPage:
    """Some jobs, newest first, and where the next page begins (None at the end)."""

    jobs: Sequence[Job]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Swept:
    """What one sweep mended: jobs put back in the queue, ended as failed or cancelled, or left to their host."""

    requeued: Sequence[Job] = ()
    ended: Sequence[Job] = ()
    orphaned: Sequence[Job] = ()


class JobStatusPort(Protocol):
    """Every method is one atomic step; all raise Unavailable when the ledger does not answer.

    Times are the ledger's own clock, so that machines whose clocks differ agree.
    """

    def admit(self, request: JobRequest, limits: UserLimits) -> Admission:
        """Record the job as pending, counting it in the same step; the same request again gives the same job.

        Raises LimitReached, and KeyReused when the idempotency key stands for another request; then nothing was
        recorded.
        """
        ...

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        ...

    def positions(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        """Places in the queues of their classes, 1 = next, of those that are pending; asked at once for a page."""
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
        """Jobs newest first, of one user or all. Raises InvalidInput for a cursor that is none of ours."""
        ...

    def claim(
        self, resource_class: str, *, worker: str, lease_seconds: float, running_limit: int, host: str = ""
    ) -> Claim | None:
        """Give this worker a job of this host that lost its runner, else the next pending one of the class, or None.

        Next is the job of the user with the fewest running jobs, then the longest-waiting; a user with
        `running_limit` running jobs is passed over. A job that has a `sandbox` is to be taken over, not started.

        A suspect job (`Job.is_suspect`) is claimed where the runners of the host hold nothing else, and they claim
        nothing beside it. One host claims nothing new while it waits for that. Each of these ends after ALONE_SECONDS.
        """
        ...

    def renew(self, claim: Claim, *, lease_seconds: float) -> bool:
        """Keep the lease; True when somebody asked to cancel the job. Raises LeaseLost."""
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
        """Before a result is made final elsewhere: from now on a cancel comes too late, whoever holds the job.

        That ends when the job goes back into the queue. False when a cancel was asked before; then nothing has
        changed. May be repeated. Raises LeaseLost.
        """
        ...

    def note_run(self, claim: Claim, run_id: str) -> None:
        """The run at the tracking server that the result is about to be written into, known as the job's from here on.

        The latest one counts; it stays noted when the job goes back into the queue. Raises LeaseLost.
        """
        ...

    def finish(self, claim: Claim, outcome: Outcome, result: SealedResult | None = None) -> Job:
        """End a claimed job in a final state, its result sealed in the same step. Raises LeaseLost."""
        ...

    def hand_back(self, claim: Claim, *, count_attempt: bool, why: str = "") -> Job:
        """Put a claimed job back into the queue, with or without this attempt counted; a cancelled one is ended.

        `why` is for the log of its next launch. Raises LeaseLost.
        """
        ...

    def leave(self, claim: Claim, *, until_told: bool = False) -> Job:
        """Let go of a job whose run goes on: a runner of its host takes it over, now or after `release_results`.

        A cancelled one ends. Left until told, its result waits on disk and takes no place among its user's running
        jobs. Raises LeaseLost.
        """
        ...

    def is_held(self, job_id: str) -> bool:
        """Whether the lease of a runner on this job lives: then its run is that runner's alone."""
        ...

    def orphans(self, host: str) -> int:
        """How many jobs of this host `claim` would take over now."""
        ...

    def waiting_results(self, host: str) -> int:
        """How many jobs of this host were left until told."""
        ...

    def recording_turn(self, host: str, *, jitter: float) -> bool:
        """Whether results of this host wait, and the caller is to look now whether the tracking server answers.

        That is one caller at a time, of all hosts: it says afterwards what it found, by one of the two below. After a
        try in vain there is a pause, longer each time, with `jitter` (0 to 1) for its random part.
        """
        ...

    def release_results(self, host: str) -> int:
        """It answers: some of this host's results are taken up, the longest-waiting first; how many they are.

        One at first. While results are recorded more are let go of together, up to MOST_AT_ONCE.
        """
        ...

    def recording_in_vain(self, *, jitter: float) -> None:
        """It does not answer."""
        ...

    def cancel(self, job_id: str) -> Job:
        """A pending job is cancelled at once; a running one is marked for its runner.

        Raises NotFound, and Conflict when it has ended or is sealed.
        """
        ...

    def presume_dead(self, job_id: str, mark: str) -> bool:
        """The process that held this claim is known to be gone, or lets go of it: nothing that it says counts any more.

        False when it held none any more.
        """
        ...

    def sweep(self, *, max_attempts: int, host: str = "", host_patience: float = 60.0) -> Swept:
        """Settle what nobody holds any more, and note that this host is there.

        A job whose lease ran out is left to its host for as long as that was seen within `host_patience` seconds, if it
        has a run there. Otherwise it goes back to the queue, or to its end after `max_attempts`. With MAX_LOSSES losses
        of its runner, over all attempts, it ends in any case. A cancel that nobody obeyed is carried out in the ledger.
        After a time in which nobody swept, who lives has time to be heard first.
        """
        ...

    def pending(self, resource_class: str) -> int:
        """How many jobs of the class wait."""
        ...

    def completed(self, benchmark: str) -> int:
        """How many jobs of the benchmark have completed: when it changes, its board does."""
        ...

    def now(self) -> datetime:
        """The ledger's own time."""
        ...

    def clock_skew(self) -> float:
        """Seconds by which this machine's clock is ahead of the ledger's, to half of the round trip."""
        ...

    def ledger_id(self, *, otherwise: str = "") -> str:
        """This ledger's own name, made once: in an engine it tells this site's containers from any other's.

        A ledger that has lost it, since it was emptied, gets it back from a process that has asked before, else from
        `otherwise`.
        """
        ...

    def check(self) -> None:
        """Raises Unavailable when the ledger does not answer, or would not take a job now."""
        ...
