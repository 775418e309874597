"""Measures what the platform adds to a run: a no-op job through the API beside the same container by `docker run`.

    scripts/measure overhead [--rounds 10]

Both sides use the same inner engine and image, and alternate, so that noise affects both. The job is
timed from before `POST /jobs` until a status request answers `completed` (asked every 20 ms); the container from create
to removed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import docker
import httpx2

NO_OP = b"""import json, sys
open(sys.argv[4] + "/metrics.json", "w").write(json.dumps({"params": {"method": "no-op"}, "metrics": {}}))
"""
BARE = "import json; json.dumps({})"


def job_seconds(http: httpx2.Client) -> float:
    """Seconds of one no-op job from `POST /jobs` to `completed`; its upload is not counted."""
    program = NO_OP + f"# {time.time_ns()}\n".encode()
    submission = http.post("/submissions", files={"files": ("main.py", program)}).raise_for_status().json()
    started = time.perf_counter()
    job = http.post("/jobs", json={"submission_id": submission["submission_id"]}).raise_for_status().json()
    while job["status"] not in {"completed", "failed"}:
        time.sleep(0.02)
        job = http.get(f"/jobs/{job['job_id']}/status").raise_for_status().json()
    if job["status"] != "completed":
        raise SystemExit(f"the no-op job failed: {job['error_message']}")
    return time.perf_counter() - started


def container_seconds(engine: docker.DockerClient, image: str) -> float:
    """Seconds of the same restricted container by the SDK alone: create, start, wait, remove."""
    started = time.perf_counter()
    container = engine.containers.create(
        image, ["python", "-c", BARE], network_mode="none", read_only=True, user="60001:60001", cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"], init=True, mem_limit="4g", memswap_limit="4g", nano_cpus=2 * 10**9,
        pids_limit=512, tmpfs={"/tmp": "size=1g", "/out": "size=512m"},
    )  # fmt: skip
    container.start()
    container.wait()
    container.remove(force=True)
    return time.perf_counter() - started


def measured(side: Callable[[], float], samples: list[float]) -> None:
    samples.append(side())


def row(name: str, samples: list[float], base: float) -> str:
    median = statistics.median(samples)
    return f"| {name} | {median:.3f} | {min(samples):.3f} | {max(samples):.3f} | {median / base:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    http = httpx2.Client(
        base_url=os.environ["LEADERSBOARD_TEST_API_URL"],
        headers={"Authorization": f"Bearer {os.environ['LEADERSBOARD_TEST_TOKEN']}"},
        timeout=30,
    )
    engine = docker.DockerClient(base_url=os.environ["LEADERSBOARD_TEST_ENGINE"])
    image = os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"]
    jobs: list[float] = []
    bare: list[float] = []
    measured(lambda: job_seconds(http), [])  # warms caches; not counted
    measured(lambda: container_seconds(engine, image), [])
    for _round in range(rounds):
        measured(lambda: job_seconds(http), jobs)
        measured(lambda: container_seconds(engine, image), bare)
    base = statistics.median(bare)
    print("| | median s | min s | max s | ratio |\n|---|---|---|---|---|")
    print(row("`docker run` of the same container", bare, base))
    print(row("job, `POST /jobs` to `completed`", jobs, base))


if __name__ == "__main__":
    main()
