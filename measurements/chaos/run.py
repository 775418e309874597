"""One chaos run: users post jobs, services break, everything settles, and the results are checked."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from measurements.chaos.faults import TELLS_ITSELF, faults
from measurements.chaos.findings import left_over, look
from measurements.chaos.people import Crowd
from measurements.chaos.plan import Plan, Report
from measurements.chaos.stage import Stage, stage

POSTED_SECONDS = 60
SETTLE_SECONDS = 180
CLEAR_SECONDS = 60
"""Unfinished uploads are removed within 20 s; a runner that lost its job while MLflow hung stops after 30 s."""


def run(plan: Plan, root: Path, *, keep: Path | None = None) -> Report:
    """Post, break, wait and check. Logs are copied to `keep`."""
    report = Report()
    with stage(root, f"chaos{os.getpid()}s{plan.seed}", plan) as parts:
        crowd = Crowd(url=parts.url, benchmark=parts.site.benchmark)
        crowd.begin(plan.wishes())
        _break(plan, parts, report)
        crowd.join(POSTED_SECONDS)
        _settled(parts, list(crowd.kinds))
        report.left_over += _left_over_at_last(parts)
        report.jobs = len(crowd.kinds)
        look(parts.site, parts.mlflow.url, crowd.kinds, plan, report)
        report.untrue += crowd.refused
        if report.jobs < plan.jobs:
            report.lost.append(f"{plan.jobs - report.jobs} jobs could not be posted")
        if keep is not None:
            shutil.copytree(root / "logs", keep / "logs", dirs_exist_ok=True)
            for words in root.glob("*.txt"):
                shutil.copy(words, keep)
        parts.clear_engine()
    return report


def _break(plan: Plan, parts: Stage, report: Report) -> None:
    until, known = time.monotonic() + plan.seconds, faults(parts, report.faults)
    for pause, name, dice in plan.faults(sorted(known)):
        if time.monotonic() + pause > until:
            time.sleep(max(0.0, until - time.monotonic()))
            return
        time.sleep(pause)
        report.faults[name] += not name.startswith(TELLS_ITSELF)
        known[name](dice)
        report.faults["runner ended by itself"] += parts.keep_up(dice)


def _settled(parts: Stage, job_ids: list[str]) -> None:
    until = time.monotonic() + SETTLE_SECONDS + 3 * len(job_ids)
    while time.monotonic() < until and not all(parts.site.ledger.get(job_id).is_final for job_id in job_ids):
        time.sleep(0.5)


def _left_over_at_last(parts: Stage) -> list[str]:
    """What is still left after CLEAR_SECONDS at most: living runners have some files only for moments."""
    until = time.monotonic() + CLEAR_SECONDS
    while (found := left_over(parts)) and time.monotonic() < until:
        time.sleep(1)
    return found
