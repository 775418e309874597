"""PER-7: measures claim, status and lists with 100,000 jobs on record, beside the same with 100.

    scripts/measure growth [--jobs 100000] [--rounds 400]

Uses two databases of its own Redis, which writes to disk before every answer as in production; rounds alternate.
Every job on record, of two users, was admitted and then cancelled, or claimed and completed, by the ledger's own
scripts. Both sides also have 200 jobs completed last, for the estimates, and fifty waiting jobs of ten users.

Exits with 1 if an operation costs more than the target.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime

import redis

from core.adapters.redis.admission import asked
from core.adapters.redis.connection import connect
from core.adapters.redis.job_status import RedisJobStatus
from core.domain.job import ALONE_SECONDS, SUSPECT_LOSSES, JobRequest, JobState
from core.domain.limits import UserLimits
from core.domain.runners import ClassFigures, RunnerReport, RunnerState
from core.domain.user import Role, User
from core.usecases.jobs import GetJobStatus
from gateway.live.queue_forecast import MEASURED_RUNS, QueueForecast
from tests.docker.own_parts import own_redis
from tests.twins.runners import MemoryRunners

FEW = 100
USERS = 2
WAITING, WAITING_USERS = 50, 10
LIMITS = UserLimits(jobs_per_hour=10**9, queue_when_over=True)
BATCH = 500
TARGET = 1.2


def request(number: int, user: str) -> JobRequest:
    return JobRequest(submission_id=f"{number:032x}", user_id=user, resource_class="small", benchmark="synthetic")


class Ledger:
    """One database with a number of jobs on record."""

    def __init__(self, url: str, jobs: int) -> None:
        self._client = connect(url)
        self._jobs = RedisJobStatus(self._client)
        self._runners = MemoryRunners(clock=lambda: 0.0)
        self._runners.publish(_report())
        self._fill(range(jobs), completed=lambda number: number % 4 > 1)
        self._fill(range(10**8, 10**8 + MEASURED_RUNS), completed=lambda _number: True)
        for number in range(WAITING):
            self._jobs.admit(request(10**9 + number, f"waiting{number % WAITING_USERS}"), LIMITS)
        self.known = request(jobs // 2, f"user{(jobs // 2) % USERS}").job_id
        self.waiting = request(10**9 + WAITING - 1, f"waiting{(WAITING - 1) % WAITING_USERS}")

    def _fill(self, numbers: range, *, completed: Callable[[int], bool]) -> None:
        """Add jobs with the ledger's own scripts, many in one pipeline."""
        names = ("admit", "cancel", "claim", "finish")
        admit, cancel, claim, finish = map(self._jobs._script, names)  # noqa: SLF001 the ledger's own scripts
        for start in range(0, len(numbers), BATCH):
            with self._client.pipeline(transaction=False) as together:
                for number in numbers[start : start + BATCH]:
                    item = request(number, f"user{number % USERS}")
                    admit(args=asked(item, LIMITS), client=together)
                    if completed(number):
                        claim(args=["small", "w", "token", 60, 1, "", SUSPECT_LOSSES, ALONE_SECONDS], client=together)
                        finish(args=[item.job_id, "token", "completed", 0, "", ""], client=together)
                    else:
                        cancel(args=[item.job_id], client=together)
                together.execute()

    def operations(self) -> dict[str, Callable[[], object]]:
        jobs = self._jobs
        return {
            "status": lambda: jobs.get(self.known),
            "status of a waiting job, with place and estimate": self._forecast,
            "list, own, page of 50": lambda: jobs.list_jobs(user_id="user1", limit=50),
            "list, all, page of 50": lambda: jobs.list_jobs(limit=50),
            "list, all cancelled, page of 50": lambda: jobs.list_jobs(state=JobState.CANCELLED, limit=50),
            "claim and hand back": self._claim,
        }

    def _forecast(self) -> None:
        """A waiting job's status as the gateway answers it with an empty cache."""
        asker = User(user_id=self.waiting.user_id, role=Role.USER)
        standing = GetJobStatus(job_status=self._jobs)(asker, self.waiting.job_id)
        _notice, found = QueueForecast(job_status=self._jobs, runners=self._runners).of(standing)
        assert found is not None

    def _claim(self) -> None:
        claim = self._jobs.claim("small", worker="w", lease_seconds=60, running_limit=2)
        assert claim is not None
        self._jobs.hand_back(claim, count_attempt=False)

    def close(self) -> None:
        self._client.close()


def _report() -> RunnerReport:
    small = ClassFigures(name="small", cpus=1, memory_bytes=1, gpus="none", timeout_seconds=1)
    since = datetime.now(UTC)
    return RunnerReport(name="box:1", host="e", version="1", since=since, state=RunnerState.READY, classes=(small,))


def too_costly(found: Sequence[tuple[str, float, float]]) -> list[str]:
    """The operations that cost more than the target."""
    return [name for name, small, large in found if large / small > TARGET]


def measured(few: Ledger, many: Ledger, rounds: int) -> list[tuple[str, float, float]]:
    """Median milliseconds of each operation on both sides; the first side alternates."""
    found = []
    for name in few.operations():
        sides = [(few.operations()[name], []), (many.operations()[name], [])]  # type: ignore[var-annotated]
        for number in range(rounds):
            for step, samples in sides if number % 2 else reversed(sides):
                started = time.perf_counter()
                step()
                samples.append(1000 * (time.perf_counter() - started))
        found.append((name, statistics.median(sides[0][1]), statistics.median(sides[1][1])))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=400)
    options = parser.parse_args()
    with own_redis(f"growth{os.getpid()}", maxmemory="1500mb") as server:
        base = server.url.rpartition("/")[0]
        with closing(Ledger(f"{base}/1", FEW)) as few, closing(Ledger(f"{base}/2", options.jobs)) as many:
            found = measured(few, many, options.rounds)
        with closing(redis.Redis.from_url(server.url)) as client:
            memory = client.info("memory")["used_memory_human"]
    print(f"{date.today()}: {options.rounds} rounds each; Redis holds {memory}\n")  # noqa: DTZ011
    print(f"| | {FEW} jobs, ms | {options.jobs:,} jobs, ms | ratio | target |\n|---|---|---|---|---|")
    for name, small, large in found:
        print(f"| {name} | {small:.2f} | {large:.2f} | {large / small:.2f} | {TARGET} |")
    if missed := too_costly(found):
        sys.exit(f"above the target: {', '.join(missed)}")


if __name__ == "__main__":
    main()
