"""Breaks services at random while jobs run, then checks the results.

    scripts/measure chaos --minutes 20 --jobs 300 --seed 7

Starts its own gateway, runners, Redis and MLflow. It breaks these, the connection to MLflow, the folders (only as root)
and the clocks; with --engine also its own inner engine, which uses up attempts. Prints one table row and every fault
found; with faults it exits with 1.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from measurements.chaos.plan import Plan, table
from measurements.chaos.run import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--jobs", type=int, default=300, choices=range(1, 501), metavar="1..500")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", action="store_true", help="with an inner engine of its own, restarted, too")
    parser.add_argument("--keep", type=Path, help="a folder for what gateway, runners and jobs have printed")
    options = parser.parse_args()
    plan = Plan(seconds=60 * options.minutes, jobs=options.jobs, seed=options.seed, engine=options.engine)
    work = Path(os.environ["LEADERSBOARD_TEST_ROOT"]) / "work"  # the engine has it mounted at the same path
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chaos-", dir=work) as root:
        report = run(plan, Path(root), keep=options.keep)
        print(table(plan, report))
        for line in (*report.wrong, *report.letters):
            print(f"  {line}")
    raise SystemExit(1 if report.wrong else 0)


if __name__ == "__main__":
    main()
