"""Measures what a run costs the runner in two checkouts, in turn: no-op jobs on the real engine, all else by twins.

    python -m measurements.two_trees ../other-checkout [--rounds 60]

Needs the settings of the test stack. Each checkout has a process of its own, and both take the same image; the order
turns around with each round, so that noise affects both. Timed is `RunJob` from the claim to the end of the job.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_OP = """import json, sys
open(sys.argv[4] + "/metrics.json", "w").write(json.dumps({"params": {"method": "no-op"}, "metrics": {}}))
"""
HERE = Path(__file__).resolve().parents[1]


def serve() -> None:
    """Runs a job for each line of standard input and prints its seconds; of the checkout in the working directory."""
    from runner.engine.docker_engine import DockerEngine  # noqa: PLC0415 of the checkout that is measured
    from tests.twin_runner import TwinRunner  # noqa: PLC0415

    image = os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"]
    root = Path(os.environ["LEADERSBOARD_TEST_ROOT"]) / "work" / f"two-trees-{os.getpid()}"
    root.mkdir()
    engine = DockerEngine(
        os.environ["LEADERSBOARD_TEST_ENGINE"], site=root.name, image=image, seccomp=Path("seccomp.json").read_text()
    )
    runner = TwinRunner(root, engine, image=image, site=root.name)
    runner.jobs_per_hour = 10**6
    try:
        for _line in sys.stdin:
            claim = runner.claim(NO_OP + f"# {time.time_ns()}\n")
            begun = time.perf_counter()
            job = runner.run(claim)
            seconds = time.perf_counter() - begun
            sys.stdout.write(f"SECONDS {seconds} {job.state}\n")
            sys.stdout.flush()
    finally:
        engine.close()
        shutil.rmtree(root)


@contextmanager
def started(tree: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that serves jobs of this checkout."""
    command = [sys.executable, str(HERE / "measurements" / "two_trees.py"), "--serve"]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    with subprocess.Popen(
        command, cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        yield process


def seconds_of(process: subprocess.Popen[str]) -> float:
    """Seconds of one job; lines of its log are passed over."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    for line in process.stdout:
        if line.startswith("SECONDS "):
            _mark, seconds, state = line.split()
            if state != "completed":
                raise SystemExit(f"the no-op job is {state}")
            return float(seconds)
    raise SystemExit("a process ended")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, nargs="?", help="the checkout to compare this one with")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve()
        return
    samples: tuple[list[float], list[float]] = ([], [])
    with started(asked.other.resolve()) as other, started(HERE) as here:
        both = ((other, samples[0]), (here, samples[1]))
        for process, _samples in both:
            seconds_of(process)  # warms caches; not counted
        for number in range(asked.rounds):
            for process, found in both if number % 2 else both[::-1]:
                found.append(seconds_of(process))
    base = statistics.median(samples[0])
    print("| | median s | min s | max s | ratio |\n|---|---|---|---|---|")
    for name, found in (("other", samples[0]), ("here", samples[1])):
        median = statistics.median(found)
        print(f"| {name} | {median:.3f} | {min(found):.3f} | {max(found):.3f} | {median / base:.2f} |")
    print(f"median of the differences of each round: {statistics.median(map(float.__sub__, *samples[::-1])):+.3f} s")


if __name__ == "__main__":
    main()
