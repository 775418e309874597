"""Measures a board of many results: read cold from a real Redis, and from the gateway's cache (SCO-4, PER-3).

    python -m measurements.board redis://127.0.0.1:6379/9 [RESULTS]

The database must be empty; it holds RESULTS sealed results (10,000 by default) while this runs, and none after it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from statistics import quantiles

from core.adapters.redis.connection import connect
from core.adapters.redis.entry_marks import RedisEntryMarks
from core.adapters.redis.job_status import RedisJobStatus
from core.adapters.redis.results import RedisResults
from core.domain.benchmark import Benchmark, MetricRule
from core.domain.board_rows import Entries
from core.domain.job import JobRequest, JobState, Outcome
from core.domain.limits import UserLimits
from core.domain.sealed_result import SealedFile, SealedResult
from core.domain.user import User
from core.usecases.show_leaderboard import BoardQuery, ShowLeaderboard
from gateway.background.tracking_watch import TrackingWatch
from gateway.live.board_cache import BoardCache
from gateway.schemas.results import BoardView
from tests.twins.tracking import MemoryTracking

USERS = 100
METRICS = ("image_auc", "image_f1", "pixel_auc", "pixel_f1", "pixel_pro", "inference_time_ms", "vram_mb")
NAME = "synthetic"
FILES = tuple(SealedFile(path=f"curves/{number}.png", size_bytes=9000, sha256="a" * 64) for number in range(5))


def main() -> None:
    results = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000  # noqa: PLR2004 the one optional argument
    client = connect(sys.argv[1])
    if client.dbsize():
        sys.exit("this database is not empty: name another one")
    try:
        began = time.perf_counter()
        ledger = RedisJobStatus(client)
        for number in range(results):
            complete(ledger, number)
        print(f"{results} results sealed in {time.perf_counter() - began:.0f} s")
        asyncio.run(measure(ledger, RedisResults(client), RedisEntryMarks(client), results))
        print(f"Redis holds {client.info('memory')['used_memory_human']}")
    finally:
        client.flushdb()
        client.close()


def complete(ledger: RedisJobStatus, number: int) -> None:
    user = f"user-{number % USERS}"
    request = JobRequest(submission_id=f"{number:032x}", user_id=user, resource_class="small", benchmark=NAME)
    ledger.admit(request, UserLimits(jobs_per_hour=10**9))
    claim = ledger.claim("small", worker="w", lease_seconds=60, running_limit=9)
    if claim is None:
        raise RuntimeError("nothing to claim")
    result = SealedResult(
        job_id=claim.job_id, benchmark=NAME, user_id=user, submission_id=claim.job.submission_id,
        run_id=f"{number:032x}", experiment_id="1", metrics=dict.fromkeys(METRICS, number * 7919 % 10007 / 10007),
        params={"method": "PaDiM", "seed": str(number)}, figures={"system/wall_seconds": 8.5}, method="PaDiM",
        tags={"leadersboard.code_sha256": "b" * 64}, files=FILES, ended_at=datetime.now(UTC),
    )  # fmt: skip
    ledger.finish(claim, Outcome(state=JobState.COMPLETED, run_id=result.run_id), result)


async def measure(ledger: RedisJobStatus, results: RedisResults, marks: RedisEntryMarks, count: int) -> None:
    """Time a hundred concurrent viewers on a cold cache, then one viewer's repeated requests, as the route does."""
    cache, watch = BoardCache(results, ledger, marks), TrackingWatch(results, MemoryTracking())
    cold = await asyncio.gather(*(timed(cache, watch, offset) for offset in range(100)))
    warm = [await timed(cache, watch, 50 * (number % (count // 50))) for number in range(500)]
    complete(ledger, count)
    grown = await timed(cache, watch, 0)
    watch.close()
    print(f"{count} results, 100 viewers at once, nothing kept: the slowest waits {max(cold):.2f} s")
    p50, p95 = quantiles(warm, n=20)[9], quantiles(warm, n=20)[18]
    print(f"kept: median {p50 * 1000:.1f} ms, P95 {p95 * 1000:.1f} ms; one job completed since: {grown * 1000:.0f} ms")


async def timed(cache: BoardCache, watch: TrackingWatch, offset: int) -> float:
    """Seconds to build one page of 50 rows, up to its JSON."""
    began = time.perf_counter()
    shown = Benchmark(
        name=NAME, title=NAME, primary_metric=METRICS[0], metrics=tuple(MetricRule(name=metric) for metric in METRICS)
    )
    usecase = ShowLeaderboard(benchmark=shown, ranked=await cache.ranked(NAME))
    board = await asyncio.to_thread(usecase, BoardQuery(entries=Entries.ALL), limit=50, offset=offset)
    states = watch.states(NAME)
    BoardView.of(board, User(user_id="user-1"), "http://localhost:5010", tracking=states).model_dump_json()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
