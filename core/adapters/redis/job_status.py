"""The ledger in Redis: each change is one atomic script in `scripts/`."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import redis

from core.adapters.redis.admission import asked, refused
from core.adapters.redis.connection import redis_errors
from core.adapters.redis.job_record import cursor_score, job_from, moment, outcome_fields
from core.adapters.redis.write_check import WriteCheck
from core.domain.errors import Conflict, KeyReused, LeaseLost, NotFound
from core.domain.job import (
    ALONE_SECONDS,
    ATTEMPTS_USED_UP,
    CANCEL_SECONDS,
    HEARING_SECONDS,
    HOST_GONE,
    LONGEST_LEASE_SECONDS,
    LOST_TOO_OFTEN,
    MAX_LOSSES,
    RUNNER_GONE,
    SUSPECT_LOSSES,
    TOO_LATE_TO_CANCEL,
    UNSWEPT_SECONDS,
    Claim,
    Job,
    JobRequest,
    JobState,
    Outcome,
    Phase,
)
from core.domain.limits import Allowance, UserLimits
from core.domain.recording_pace import FIRST_SECONDS, LONGEST_SECONDS, MOST_AT_ONCE, STUCK_SECONDS, TURN_SECONDS
from core.domain.sealed_result import Seal, SealedResult, sealed
from core.ports.job_status import Admission, JobPage, Swept

PREFIX = "leaderboard:"
PACE = (TURN_SECONDS, FIRST_SECONDS, LONGEST_SECONDS, MOST_AT_ONCE, STUCK_SECONDS)
READING = frozenset({"positions", "is_held", "orphans", "waiting_results", "pending"})
ADDING = frozenset({"admit", "mark"})


@cache
def script_text(name: str) -> str:
    """A script with its flags: a full Redis refuses what users add, but lets accepted jobs end; reads need no write."""
    folder = files("core.adapters.redis") / "scripts"
    flags = " flags=no-writes" if name in READING else "" if name in ADDING else " flags=allow-oom"
    return f"#!lua{flags}\n" + (folder / "ledger.lua").read_text() + (folder / f"{name}.lua").read_text()


class RedisJobStatus:
    """JobStatusPort on a Redis that loses nothing it has acknowledged (append-only, noeviction)."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._takes_writes = WriteCheck(client)
        self._ledger_id = ""

    def _script(self, name: str) -> Any:
        return self._redis.register_script(script_text(name))

    def _run(self, name: str, *args: str | float) -> Any:
        with redis_errors():
            return self._script(name)(args=list(args))

    def _fenced(self, name: str, claim: Claim, *args: str | float) -> Any:
        answer = self._run(name, claim.job_id, claim.token, *args)
        if answer == "lost":
            raise LeaseLost(f"The lease of job {claim.job_id} belongs to another runner.")
        return answer

    def admit(self, request: JobRequest, limits: UserLimits) -> Admission:
        with redis_errors(), self._redis.pipeline(transaction=False) as together:
            self._script("admit")(args=asked(request, limits), client=together)
            together.hgetall(f"{PREFIX}job:{request.job_id}")
            self._script("positions")(args=[request.job_id], client=together)
            (answer, used, renews), fields, (place,) = together.execute()
        most = limits.trials_per_hour if request.trial else limits.jobs_per_hour
        left = Allowance(limit=most, remaining=max(0, most - used), renews_in_seconds=renews)
        if answer == "key_reused":
            raise KeyReused("This Idempotency-Key already stands for another request of yours.")
        if answer in {"hourly", "running", "trying"}:
            raise refused(answer, limits, left, trial=request.trial)
        return Admission(
            job=job_from(fields), created=answer == "created", allowance=left, queue_position=place or None
        )

    def get(self, job_id: str) -> Job:
        with redis_errors():
            fields: Any = self._redis.hgetall(f"{PREFIX}job:{job_id}")
        if not fields:
            raise NotFound("job", job_id)
        return job_from(fields)

    def positions(self, job_ids: Sequence[str]) -> Mapping[str, int]:
        places = self._run("positions", *job_ids) if job_ids else ()
        return {job_id: place for job_id, place in zip(job_ids, places, strict=True) if place}

    def list_jobs(
        self,
        *,
        user_id: str | None = None,
        state: JobState | None = None,
        benchmark: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        filters = {"user": user_id, "benchmark": benchmark, "state": state}
        key = f"{PREFIX}jobs" + "".join(f":{name}:{value}" for name, value in filters.items() if value)
        newest = f"({cursor_score(cursor)}" if cursor else "+inf"
        with redis_errors():
            found: Any = self._redis.zrevrangebyscore(key, newest, "-inf", start=0, num=limit + 1, withscores=True)
            pipe = self._redis.pipeline(transaction=False)
            for job_id, _score in found[:limit]:
                pipe.hgetall(f"{PREFIX}job:{job_id}")
            records = pipe.execute()
        jobs = tuple(job_from(fields) for fields in records if fields)
        return JobPage(jobs=jobs, next_cursor=f"{found[limit - 1][1]:.6f}" if len(found) > limit else None)

    def claim(
        self, resource_class: str, *, worker: str, lease_seconds: float, running_limit: int, host: str = ""
    ) -> Claim | None:
        token = secrets.token_hex(16)
        fields = self._run(
            "claim", resource_class, worker, token, lease_seconds, running_limit, host, SUSPECT_LOSSES, ALONE_SECONDS
        )
        return Claim(job=_job_of(fields), token=token) if fields else None

    def renew(self, claim: Claim, *, lease_seconds: float) -> bool:
        return bool(self._fenced("renew", claim, lease_seconds) == "1")

    def note(
        self,
        claim: Claim,
        *,
        phase: Phase | None = None,
        device: str | None = None,
        sandbox: str | None = None,
        logged: bool = False,
    ) -> None:
        changes = {"phase": phase, "device": device, "sandbox": sandbox, "logged": "1" if logged else None}
        self._fenced("note", claim, *(part for pair in changes.items() if pair[1] for part in pair if part))

    def seal(self, claim: Claim) -> bool:
        return bool(self._fenced("seal", claim) == "ok")

    def note_run(self, claim: Claim, run_id: str) -> None:
        self._fenced("note_run", claim, run_id)

    def finish(self, claim: Claim, outcome: Outcome, result: SealedResult | None = None) -> Job:
        pairs = [part for pair in outcome_fields(outcome).items() for part in pair]
        seal = sealed(result) if result else Seal(text="", sha256="")
        state, refund = outcome.state, int(outcome.refund)
        return _job_of(self._fenced("finish", claim, state, refund, seal.text, seal.sha256, *pairs))

    def hand_back(self, claim: Claim, *, count_attempt: bool, why: str = "") -> Job:
        self._fenced("hand_back", claim, int(count_attempt), why)
        return self.get(claim.job_id)

    def leave(self, claim: Claim, *, until_told: bool = False) -> Job:
        return _job_of(self._fenced("leave", claim, int(until_told)))

    def is_held(self, job_id: str) -> bool:
        return bool(self._run("is_held", job_id))

    def orphans(self, host: str) -> int:
        return int(self._run("orphans", host))

    def waiting_results(self, host: str) -> int:
        return int(self._run("waiting_results", host))

    def recording_turn(self, host: str, *, jitter: float) -> bool:
        return bool(self._run("recording_turn", host, *PACE, jitter))

    def release_results(self, host: str) -> int:
        return int(self._run("release_results", host))

    def recording_in_vain(self, *, jitter: float) -> None:
        self._run("recording_in_vain", FIRST_SECONDS, LONGEST_SECONDS, jitter)

    def cancel(self, job_id: str) -> Job:
        answer = self._run("cancel", job_id)
        if answer == "missing":
            raise NotFound("job", job_id)
        if answer == "final":
            raise Conflict("This job has already ended.")
        if answer == "sealed":
            raise Conflict(TOO_LATE_TO_CANCEL)
        return self.get(job_id)

    def presume_dead(self, job_id: str, mark: str) -> bool:
        return bool(self._run("presume_dead", job_id, mark))

    def sweep(self, *, max_attempts: int, host: str = "", host_patience: float = 60.0) -> Swept:
        found = self._run(
            "sweep", max_attempts, ATTEMPTS_USED_UP, MAX_LOSSES, CANCEL_SECONDS, host, math.ceil(host_patience),
            LONGEST_LEASE_SECONDS, UNSWEPT_SECONDS, HEARING_SECONDS, LOST_TOO_OFTEN, HOST_GONE, RUNNER_GONE,
        )  # fmt: skip
        requeued, ended, orphaned = (tuple(map(self.get, ids)) for ids in found)
        return Swept(requeued=requeued, ended=ended, orphaned=orphaned)

    def pending(self, resource_class: str) -> int:
        return int(self._run("pending", resource_class))

    def completed(self, benchmark: str) -> int:
        with redis_errors():
            count: Any = self._redis.zcard(f"{PREFIX}jobs:benchmark:{benchmark}:state:{JobState.COMPLETED}")
        return int(count)

    def now(self) -> datetime:
        return moment(self._seconds())

    def clock_skew(self) -> float:
        began = time.monotonic()
        seconds = self._seconds()
        return time.time() - (time.monotonic() - began) / 2 - seconds

    def _seconds(self) -> float:
        with redis_errors():
            found: Any = self._redis.time()
        return float(found[0] + found[1] / 1_000_000)

    def ledger_id(self, *, otherwise: str = "") -> str:
        with redis_errors():
            found: Any = self._redis.get(f"{PREFIX}ledger_id")
            if found is None:  # a full Redis answers reads but accepts no writes
                name = self._ledger_id or otherwise or secrets.token_hex(8)
                self._redis.set(f"{PREFIX}ledger_id", name, nx=True)
                found = self._redis.get(f"{PREFIX}ledger_id")
        self._ledger_id = str(found)
        return self._ledger_id

    def check(self) -> None:
        self._takes_writes()


def _job_of(pairs: Sequence[str]) -> Job:
    """The job of a hash in a script's answer: each field, followed by its value."""
    return job_from(dict(zip(pairs[::2], pairs[1::2], strict=True)))
