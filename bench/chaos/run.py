"""One chaos run: everybody posts, parts break, everything settles, and then it is looked at."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench.chaos.findings import left_over, look
from bench.chaos.people import Crowd
from bench.chaos.plan import Plan, Report
from bench.chaos.stage import Stage, stage

POSTED_SECONDS = 60
SETTLE_SECONDS = 180
CLEAR_SECONDS = 60
"""Half-made uploads go within 20 s; a runner that lost its job while MLflow hung lets go after 30 s."""


def run(plan: Plan, root: Path) -> Report:
    """Post, break, wait, look."""
    report = Report()
    with stage(root, f"chaos{os.getpid()}s{plan.seed}", engine=plan.engine) as parts:
        crowd = Crowd(url=parts.url, benchmark=parts.site.benchmark)
        crowd.begin(plan.wishes())
        _break(plan, parts, report)
        crowd.join(POSTED_SECONDS)
        _settled(parts, list(crowd.kinds))
        _cleared(parts)
        report.jobs = len(crowd.kinds)
        look(parts.site, parts.mlflow.url, crowd.kinds, plan, report)
        report.untrue += crowd.refused
        if report.jobs < plan.jobs:
            report.lost.append(f"{plan.jobs - report.jobs} jobs could not be posted")
        left_over(parts.site, remove=True)
    return report


def _break(plan: Plan, parts: Stage, report: Report) -> None:
    until = time.monotonic() + plan.seconds
    for pause, name, dice in plan.faults(sorted(parts.faults)):
        if time.monotonic() + pause > until:
            time.sleep(max(0.0, until - time.monotonic()))
            return
        time.sleep(pause)
        report.faults[name] += 1
        parts.faults[name](dice)


def _settled(parts: Stage, job_ids: list[str]) -> None:
    until = time.monotonic() + SETTLE_SECONDS + 3 * len(job_ids)
    while time.monotonic() < until and not all(parts.site.ledger.get(job_id).is_final for job_id in job_ids):
        time.sleep(0.5)


def _cleared(parts: Stage) -> None:
    until = time.monotonic() + CLEAR_SECONDS
    while left_over(parts.site) and time.monotonic() < until:
        time.sleep(1)
