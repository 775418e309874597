"""Many at one ledger in the same moment, each over a connection of its own: whatever may happen once happens once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import dramatiq
import pytest
import redis

from core.adapters.dramatiq_broker import OneBellAtATime
from core.adapters.dramatiq_queue import ACTOR, DramatiqQueue, queue_name
from core.adapters.redis.connection import connect
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.rate_limit import RedisRateLimit
from core.domain.job import MAX_ATTEMPTS, MAX_LOSSES, Claim, JobRequest, JobState
from core.domain.limits import UserLimits
from core.ports.job_status import Swept
from runner.dead_letters import DeadLetterWriter
from runner.worker.actor import RunNext, declare
from runner.worker.availability import Availability
from tests.conftest import redis_url
from tests.twins.dead_letters import MemoryDeadLetters
from tests.twins.runners import MemoryRunners

pytestmark = pytest.mark.contract

HOST = "engine-a"
LIMITS = UserLimits(jobs_per_hour=50, concurrent_running=50)
ROUNDS = 10
CLAIMERS = 16
SWEEPERS = 8

Found = TypeVar("Found")


@dataclass
class Crowd:
    """Ledgers that share nothing but the server."""

    ledgers: list[RedisJobStatus]
    rates: RedisRateLimit
    pool: ThreadPoolExecutor

    @property
    def ledger(self) -> RedisJobStatus:
        return self.ledgers[0]

    def at_once(self, how_many: int, step: Callable[[RedisJobStatus], Found]) -> list[Found]:
        barrier = threading.Barrier(how_many)

        def together(ledger: RedisJobStatus) -> Found:
            barrier.wait(10)
            return step(ledger)

        return list(self.pool.map(together, self.ledgers[:how_many]))

    def admit(self, number: int = 0) -> str:
        request = JobRequest(
            submission_id=f"{number:032x}", user_id="ann", resource_class="small", benchmark="synthetic"
        )
        return self.ledger.admit(request, LIMITS).job.job_id

    def begun(self, number: int = 0, *, lease: float = 60.0) -> Claim:
        """A job whose run is in the engine, held for so long."""
        self.admit(number)
        claim = claimed(self.ledger, lease=lease)
        assert claim is not None
        self.ledger.note(claim, sandbox=claim.mark)
        return claim

    def left(self) -> int:
        return self.rates.allowance("ann", LIMITS).remaining


def claimed(ledger: RedisJobStatus, *, lease: float = 60.0) -> Claim | None:
    return ledger.claim("small", worker="w", lease_seconds=lease, running_limit=50, host=HOST)


def swept(ledger: RedisJobStatus) -> Swept:
    return ledger.sweep(max_attempts=MAX_ATTEMPTS, host=HOST)


def swept_by_another_host(ledger: RedisJobStatus) -> Swept:
    return ledger.sweep(max_attempts=MAX_ATTEMPTS, host="engine-b")


@pytest.fixture
def crowd(redis_client: redis.Redis) -> Iterator[Crowd]:
    with ExitStack() as opened:
        clients = [connect(redis_url()) for _claimer in range(CLAIMERS)]
        for client in clients:
            client.ping()
            opened.callback(client.close)
        pool = opened.enter_context(ThreadPoolExecutor(CLAIMERS))
        yield Crowd([*map(RedisJobStatus, clients)], RedisRateLimit(redis_client), pool)


def test_a_waiting_job_is_given_to_one_of_many(crowd: Crowd) -> None:
    """JOB-11: sixteen claim it in the same moment; one has it, in its first attempt."""
    for number in range(ROUNDS):
        job_id = crowd.admit(number)
        (claim,) = filter(None, crowd.at_once(CLAIMERS, claimed))
        assert (claim.job_id, claim.job.attempt) == (job_id, 1)
        assert crowd.ledger.renew(claim, lease_seconds=60) is False


def test_a_run_that_lost_its_runner_is_given_to_one_of_many(crowd: Crowd) -> None:
    """REL-2: sixteen would take it over; one does, in the attempt that it was in."""
    for number in range(ROUNDS):
        old = crowd.begun(number)
        crowd.ledger.presume_dead(old.job_id, old.mark)
        swept(crowd.ledger)
        (claim,) = filter(None, crowd.at_once(CLAIMERS, claimed))
        assert (claim.job_id, claim.job.attempt, claim.job.sandbox) == (old.job_id, 1, old.mark)
        assert crowd.ledger.renew(claim, lease_seconds=60) is False


def test_a_lost_lease_is_settled_by_one_sweeper(crowd: Crowd, redis_client: redis.Redis) -> None:
    """Eight sweep in the same moment: each lease is told of once, and counts as one loss of a runner."""
    old = [crowd.begun(number, lease=0.05) for number in range(ROUNDS)]
    time.sleep(0.1)
    orphaned = [job.job_id for found in crowd.at_once(SWEEPERS, swept) for job in found.orphaned]
    assert sorted(orphaned) == sorted(claim.job_id for claim in old)
    for claim in old:
        assert redis_client.hmget(f"leaderboard:job:{claim.job_id}", "losses", "attempt") == ["1", "1"]


def test_a_job_that_lost_too_many_runners_ends_once_and_its_place_is_given_back_once(
    crowd: Crowd, redis_client: redis.Redis
) -> None:
    """Eight sweep it in the same moment."""
    job_id = crowd.begun(lease=0.01).job_id
    crowd.admit(1)  # another job, whose place is not given back
    redis_client.hset(f"leaderboard:job:{job_id}", "losses", MAX_LOSSES - 1)
    time.sleep(0.05)
    found = crowd.at_once(SWEEPERS, swept)
    assert [job.job_id for one in found for job in (*one.requeued, *one.ended, *one.orphaned)] == [job_id]
    assert crowd.ledger.get(job_id).state is JobState.FAILED
    assert crowd.left() == LIMITS.jobs_per_hour - 1


def test_an_attempt_is_used_up_once(crowd: Crowd) -> None:
    """Eight find that the host of a run is gone: the next attempt begins once, and after the last one the job ends."""
    job_id = crowd.admit()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        claim = claimed(crowd.ledger)
        assert claim is not None
        assert claim.job.attempt == attempt
        crowd.ledger.note(claim, sandbox=claim.mark)
        crowd.ledger.leave(claim)
        found = crowd.at_once(SWEEPERS, swept_by_another_host)
        settled = [job.job_id for one in found for job in (*one.requeued, *one.ended, *one.orphaned)]
        assert settled == [job_id]
    assert crowd.ledger.get(job_id).state is JobState.FAILED


def doubled_message(client: redis.Redis) -> None:
    """One message, one id, twice in the list that workers take from."""
    options = {"redis_message_id": "the-same"}
    message: dramatiq.Message[None] = dramatiq.Message(
        queue_name=queue_name("small"), actor_name=ACTOR, args=("small",), kwargs={}, options=options
    )
    client.hset(f"dramatiq:{queue_name('small')}.msgs", "the-same", message.encode())
    client.rpush(f"dramatiq:{queue_name('small')}", "the-same", "the-same")


def hearing(ledger: RedisJobStatus, ran: list[str], meet: Callable[[], Any], folder: Path) -> dramatiq.Worker:
    """An idle worker on a broker of its own; `meet` is the last that it does before it claims."""
    broker = OneBellAtATime(url=redis_url(), middleware=[])  # type: ignore[no-untyped-call]
    availability = Availability(
        name="w", host=HOST, runners=MemoryRunners(), check_engine=meet, folders=list, min_free_bytes=0,
        draining=threading.Event(),
    )  # fmt: skip
    run_next = RunNext(
        job_status=ledger, job_queue=DramatiqQueue(broker),
        run_job=lambda claim: ran.append(claim.job_id), lease_seconds=60, running_limit=50, host=HOST,
        draining=availability.draining, availability=availability,
        letters=DeadLetterWriter(dead_letters=MemoryDeadLetters()),
    )  # fmt: skip
    declare(broker, run_next, ["small"])
    return dramatiq.Worker(broker, worker_threads=1, worker_timeout=50)


def test_a_message_delivered_twice_at_once_starts_its_job_once(
    crowd: Crowd, redis_client: redis.Redis, tmp_path: Path
) -> None:
    """JOB-11: two idle workers are given the very same message and claim in the same moment."""
    job_id = crowd.admit()
    both, ran = threading.Barrier(2), list[str]()
    doubled_message(redis_client)
    workers = [hearing(ledger, ran, lambda: both.wait(10), tmp_path) for ledger in crowd.ledgers[:2]]
    for worker in workers:
        worker.start()
    try:
        deadline = time.monotonic() + 120
        while redis_client.exists("dramatiq:jobs.small", "dramatiq:jobs.small.msgs"):
            assert time.monotonic() < deadline, "both have heard it"
            time.sleep(0.02)
    finally:
        for worker in workers:
            worker.stop()
            worker.broker.close()
    assert not both.broken
    assert ran == [job_id]
    assert crowd.ledger.get(job_id).attempt == 1
