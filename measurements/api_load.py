"""PER-1 to PER-5: P50 and P95 of the gateway with 100 users, beside a bare FastAPI app under the same load.

    .venv/bin/python -m measurements.api_load --redis URL/10 --mlflow http://localhost:15011 [--seconds 60]

The Redis database is emptied before and after. Both servers, the load generator and Redis share this machine.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import httpx2
import redis

from tests.running_gateway import REPOSITORY, environment, free_port, gateway_process

TARGETS_MS = {"submit": 500, "enqueue": 100, "status": 200, "logs": 500}
PEOPLE = 100
TOKENS = [f"bench-token-{number:04d}-0123456789" for number in range(PEOPLE)]

Figures = dict[str, dict[str, float]]


@contextmanager
def bare_app() -> Iterator[str]:
    """The bare app with the gateway's server flags, but uvicorn's own protocol and no log."""
    port = free_port()
    flags = ["--factory", "--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--timeout-keep-alive", "15"]
    command = [sys.executable, "-m", "uvicorn", "measurements.bare_app:build", *flags]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_life(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def await_life(url: str) -> None:
    for _ in range(100):
        try:
            httpx2.get(f"{url}/health/live", trust_env=False).raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not come up")


def load(url: str, folder: Path, logs: Path | None, seconds: int, arriving: int) -> Figures:
    """Run the load against `url`. Returns the figures of each kind of request."""
    command = [
        sys.executable, "-m", "locust", "-f", str(REPOSITORY / "measurements" / "locustfile.py"), "--headless",
        "--only-summary", "-u", str(PEOPLE), "-r", str(arriving), "-t", f"{seconds}s", "--stop-timeout", "10",
        "--host", url, "--csv", str(folder / "figures"),
    ]  # fmt: skip
    told = {**os.environ, "BENCH_TOKENS": ",".join(TOKENS), "BENCH_LOGS": str(logs or "")}
    with (folder / "locust.log").open("wb") as out:
        subprocess.run(command, env=told, stdout=out, stderr=out, timeout=seconds + 90, check=False)
    with (folder / "figures_stats.csv").open() as found:
        rows = {row["Name"]: row for row in csv.DictReader(found)}
    return {name: _figures(rows[name], seconds) for name in TARGETS_MS}


def _figures(row: dict[str, str], seconds: int) -> dict[str, float]:
    count = int(row["Request Count"])
    return {
        "count": count,
        "rate": count / seconds,
        "errors": int(row["Failure Count"]),
        "p50": float(row["50%"]),
        "p95": float(row["95%"]),
    }


def table(ours: Figures, bare: Figures) -> Iterator[str]:
    yield "| | requests | errors | P50 ms | P95 ms | target P95 | bare P50 | bare P95 | P95 ratio |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, target in TARGETS_MS.items():
        mine, other = ours[name], bare[name]
        ratio = mine["p95"] / max(other["p95"], 1)
        yield (
            f"| {name} | {mine['count']:.0f} ({mine['rate']:.1f}/s) | {mine['errors']:.0f} | {mine['p50']:.0f} "
            f"| {mine['p95']:.0f} | {target} | {other['p50']:.0f} | {other['p95']:.0f} | {ratio:.1f} |"
        )


def measure(options: argparse.Namespace, root: Path) -> tuple[Figures, Figures]:
    ledger = redis.Redis.from_url(options.redis)
    ledger.flushdb()
    tokens = ",".join(f"bench{number}:{token}" for number, token in enumerate(TOKENS))
    env = environment(root, redis_url=options.redis, mlflow_url=options.mlflow, API_TOKENS=tokens)
    try:
        (root / "bare").mkdir()
        (root / "ours").mkdir()
        with bare_app() as url:
            bare = load(url, root / "bare", None, options.seconds, options.arriving)
        with gateway_process(root, env) as (door, _process):
            ours = load(door.url, root / "ours", root / "logs", options.seconds, options.arriving)
    finally:
        ledger.flushdb()
    return ours, bare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--mlflow", required=True)
    parser.add_argument("--seconds", type=int, default=60, choices=range(10, 601), metavar="10..600")
    parser.add_argument("--arriving", type=int, default=10, choices=range(1, PEOPLE + 1), metavar="1..100",
                        help="so many come at once each second, and count from their first request")  # fmt: skip
    options = parser.parse_args()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="bench-door-") as folder:
        ours, bare = measure(options, Path(folder))
    machine = f"{os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"
    people = f"{PEOPLE} people, {options.arriving} arriving each second, {options.seconds} s"
    print(f"{date.today()}: {people}; {machine}; load before: {before:.2f}\n")  # noqa: DTZ011
    print("\n".join(table(ours, bare)))


if __name__ == "__main__":
    main()
