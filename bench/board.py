"""How long a board of many runs takes: read cold from a real MLflow, and from the gateway's cache (SCO-4, PER-3).

    python bench/board.py http://localhost:5010 [RUNS]

Fills an experiment of its own with RUNS finished runs (5,000 by default) where it has fewer, then measures.
"""

from __future__ import annotations

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles

import httpx2

from core.adapters.memory_job_status import MemoryJobStatus
from core.adapters.mlflow_tracking import MlflowTracking
from core.domain.benchmark import Benchmark, MetricRule
from core.domain.user import User
from core.usecases.show_leaderboard import ShowLeaderboard
from gateway.board_cache import BoardCache
from gateway.schemas import BoardView

API = "/api/2.0/mlflow"
USERS = 100
METRICS = ("image_auc", "image_f1", "pixel_auc", "pixel_f1", "pixel_pro", "inference_time_ms", "vram_mb")


def main() -> None:
    url = sys.argv[1]
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5000  # noqa: PLR2004 the one optional argument
    name = f"bench-board-{runs}"
    fill(url, name, runs)
    tracking = MlflowTracking(url, timeout_seconds=10)
    asyncio.run(measure(BoardCache(tracking, MemoryJobStatus()), benchmark(name), runs))
    tracking.close()


async def measure(cache: BoardCache, shown: Benchmark, runs: int) -> None:
    """A hundred viewers who come at once and have to wait, then one who asks again and again, as the route answers."""
    cold = await asyncio.gather(*(timed(cache, shown, offset) for offset in range(100)))
    warm = [await timed(cache, shown, 50 * (number % (runs // 50))) for number in range(300)]
    print(f"{runs} runs, 100 viewers at once, nothing kept: the slowest waits {max(cold):.2f} s")
    print(f"{runs} runs, kept: median {median(warm) * 1000:.1f} ms, P95 {quantiles(warm, n=20)[18] * 1000:.1f} ms")


async def timed(cache: BoardCache, shown: Benchmark, offset: int) -> float:
    """One page of 50 rows out of all, to its last byte."""
    began = time.perf_counter()
    usecase = ShowLeaderboard(benchmark=shown, ranked=await cache.ranked(shown.name))
    board = await asyncio.to_thread(usecase, metric=None, direction=None, all_entries=True, limit=50, offset=offset)
    BoardView.of(board, User(user_id="user-1"), "http://localhost:5010").model_dump_json()
    return time.perf_counter() - began


def benchmark(name: str) -> Benchmark:
    metrics = tuple(MetricRule(name=metric) for metric in METRICS)
    return Benchmark(name=name, title=name, primary_metric=METRICS[0], metrics=metrics)


def fill(url: str, name: str, runs: int) -> None:
    """Make the runs that are missing, a few at a time."""
    with httpx2.Client(base_url=url, timeout=60) as http:
        experiment = experiment_id(http, name)
        there = count(http, experiment)
        began = time.monotonic()
        with ThreadPoolExecutor(max_workers=4) as pool:
            for _ in pool.map(lambda number: make_run(http, experiment, number), range(there, runs)):
                pass
        print(f"{runs - there} runs made in {time.monotonic() - began:.0f} s")


def experiment_id(http: httpx2.Client, name: str) -> str:
    found = http.get(f"{API}/experiments/get-by-name", params={"experiment_name": name})
    if found.status_code == httpx2.codes.OK:
        return str(found.json()["experiment"]["experiment_id"])
    return str(http.post(f"{API}/experiments/create", json={"name": name}).raise_for_status().json()["experiment_id"])


def count(http: httpx2.Client, experiment: str) -> int:
    total, token = 0, ""
    while True:
        body = {"experiment_ids": [experiment], "max_results": 1000, "page_token": token}
        page = http.post(f"{API}/runs/search", json=body).raise_for_status().json()
        total, token = total + len(page.get("runs", [])), page.get("next_page_token", "")
        if not token:
            return total


def make_run(http: httpx2.Client, experiment: str, number: int) -> None:
    tags = {
        "leadersboard.job_id": f"{number:032x}",
        "leadersboard.user_id": f"user-{number % USERS}",
        "leadersboard.submission_id": f"{number:032x}",
    }
    now = int(time.time() * 1000)
    listed = [{"key": key, "value": value} for key, value in tags.items()]
    body = {"experiment_id": experiment, "start_time": now, "tags": listed}
    run_id = http.post(f"{API}/runs/create", json=body).raise_for_status().json()["run"]["info"]["run_id"]
    metrics = [{"key": key, "value": (number * 7919 % 10007) / 10007, "timestamp": now, "step": 0} for key in METRICS]
    batch = {"run_id": run_id, "metrics": metrics, "params": [{"key": "method", "value": "PaDiM"}]}
    http.post(f"{API}/runs/log-batch", json=batch).raise_for_status()
    http.post(f"{API}/runs/update", json={"run_id": run_id, "status": "FINISHED", "end_time": now}).raise_for_status()


if __name__ == "__main__":
    main()
