"""PER-7: what claim, status and lists cost with 100,000 jobs on record, beside the same with 100.

    scripts/bench growth [--jobs 100000] [--rounds 400]

Two databases of one Redis of its own, written to disk before every answer as in production; rounds alternate.
Every job on record, of two users, was admitted and cancelled by the ledger's own scripts; fifty more wait, of ten.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date

import redis

from core.adapters.redis_connection import connect
from core.adapters.redis_job_status import RedisJobStatus, _asked
from core.domain.job import JobRequest, JobState
from core.domain.limits import UserLimits
from tests.docker.own_parts import own_redis

FEW = 100
USERS = 2
WAITING, WAITING_USERS = 50, 10
LIMITS = UserLimits(jobs_per_hour=10**9, queue_when_over=True)
BATCH = 500
TARGET = 1.2


def request(number: int, user: str) -> JobRequest:
    return JobRequest(submission_id=f"{number:032x}", user_id=user, resource_class="small", benchmark="synthetic")


class Ledger:
    """One database with so many jobs on record."""

    def __init__(self, url: str, jobs: int) -> None:
        self._client = connect(url)
        self._jobs = RedisJobStatus(self._client)
        self._fill(jobs)
        for number in range(WAITING):
            self._jobs.admit(request(10**9 + number, f"waiting{number % WAITING_USERS}"), LIMITS)
        self.known = request(jobs // 2, f"user{(jobs // 2) % USERS}").job_id

    def _fill(self, jobs: int) -> None:
        """By the ledger's own scripts, many in one packet."""
        for start in range(0, jobs, BATCH):
            wanted = [request(n, f"user{n % USERS}") for n in range(start, min(jobs, start + BATCH))]
            admit, cancel = self._jobs._script("admit"), self._jobs._script("cancel")  # noqa: SLF001 the scripts as they are
            with self._client.pipeline(transaction=False) as together:
                for item in wanted:
                    admit(args=_asked(item, LIMITS), client=together)
                    cancel(args=[item.job_id], client=together)
                together.execute()

    def operations(self) -> dict[str, Callable[[], object]]:
        jobs = self._jobs
        return {
            "status": lambda: jobs.get(self.known),
            "list, own, page of 50": lambda: jobs.list_jobs(user_id="user1", limit=50),
            "list, all, page of 50": lambda: jobs.list_jobs(limit=50),
            "list, all cancelled, page of 50": lambda: jobs.list_jobs(state=JobState.CANCELLED, limit=50),
            "claim and hand back": self._claim,
        }

    def _claim(self) -> None:
        claim = self._jobs.claim("small", worker="w", lease_seconds=60, running_limit=2)
        assert claim is not None
        self._jobs.hand_back(claim, count_attempt=False)

    def close(self) -> None:
        self._client.close()


def measured(few: Ledger, many: Ledger, rounds: int) -> list[tuple[str, float, float]]:
    """Median milliseconds of each operation on both; whoever is first changes from round to round."""
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


if __name__ == "__main__":
    main()
