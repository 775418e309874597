"""Measures what UI and gateway add to a call of MLflow's pages, compared with the same call at MLflow itself.

    .venv/bin/python -m measurements.mlflow_pages --redis URL/10 --mlflow http://localhost:15011 [--rounds 200]

One line per call: P50 and P95 of both paths in ms, and the difference. The paths alternate. Exits with 1 above the
target.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx2

from core.domain.tracking_queries import GET_RUN
from tests.tracked_site import TrackedSite, tracked_site

TARGET_MS = 30.0
API = "/ajax-api/2.0/mlflow"
Call = Callable[[httpx2.Client], httpx2.Response]


def calls(site: TrackedSite) -> Mapping[str, Call]:
    """The calls of a run's page, a list of runs and a chart."""
    own = site.jobs["ann"].ref
    ids = [("run_ids", recorded.ref.run_id) for recorded in site.jobs.values()]
    history = [*ids, ("metric_key", "image_auc"), ("max_results", "320")]
    query = {"operationName": "GetRun", "query": GET_RUN, "variables": {"data": {"runId": own.run_id}}}
    search = {"experiment_ids": [own.experiment_id], "max_results": 100, "order_by": ["attributes.start_time DESC"]}
    return {
        "page": lambda client: client.get("/"),
        "part of a page": lambda client: client.get("/static-files/favicon.ico"),
        "run": lambda client: client.post("/graphql", json=query),
        "runs": lambda client: client.post(f"{API}/runs/search", json=search),
        "history": lambda client: client.get(f"{API}/metrics/get-history-bulk-interval", params=history),
        "list of files": lambda client: client.get(f"{API}/artifacts/list", params={"run_id": own.run_id}),
        "file": lambda client: client.get("/get-artifact", params={"path": "notes.txt", "run_uuid": own.run_id}),
    }


def measure(site: TrackedSite, mlflow_url: str, rounds: int) -> Mapping[str, tuple[Sequence[float], Sequence[float]]]:
    """Milliseconds of each call, at MLflow itself and through UI and gateway."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    with httpx2.Client(base_url=mlflow_url, timeout=30, trust_env=False) as direct, site.browser("ann") as behind:
        for _round in range(rounds):
            for name, call in calls(site).items():
                pair = found.setdefault(name, ([], []))
                for client, times in zip((direct, behind), pair, strict=True):
                    begun = time.perf_counter()
                    call(client).raise_for_status()
                    times.append((time.perf_counter() - begun) * 1000)
    return found


def p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def report(found: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> float:
    """Print the table. Returns the largest median difference of any call, in ms."""
    print("| call | direct P50 | P95 | behind the sign-in P50 | P95 | added P50 | P95 |\n|---|---|---|---|---|---|---|")
    for name, (direct, behind) in found.items():
        rows = (statistics.median(direct), p95(direct), statistics.median(behind), p95(behind))
        added = (rows[2] - rows[0], rows[3] - rows[1])
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in (*rows, *added)) + " |")
    return max(statistics.median(behind) - statistics.median(direct) for direct, behind in found.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--mlflow", required=True)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        tracked_site(Path(folder), options.redis, options.mlflow, f"t{secrets.token_hex(6)}") as site,
    ):
        measure(site, options.mlflow, 5)
        worst = report(measure(site, options.mlflow, options.rounds))
    print(f"Most that is added at P50: {worst:.1f} ms; target {TARGET_MS:.0f} ms.")
    return int(worst > TARGET_MS)


if __name__ == "__main__":
    sys.exit(main())
