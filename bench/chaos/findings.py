"""What must be so when everybody has posted and every part is there again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from bench.chaos.plan import LINES, Plan, Report
from core.adapters.mlflow_tracking import MlflowTracking
from core.domain.dead_letter import MOST_KEPT
from core.domain.job import MAX_ATTEMPTS, Job, JobState
from runner.engine.docker_sandbox import DockerEngine
from tests.docker.runner_site import Site, lines_of

EXPECTED = {"good": JobState.COMPLETED, "failing": JobState.FAILED, "cancelled": JobState.CANCELLED}
ALL_LINES = [f"line {number}" for number in range(LINES)]
SETTLED_LISTS = ("leases", "orphans", "cancelling", "running:*", "waiting:*", "pending:*")
"""What the ledger holds of jobs that have not ended, under its prefix."""


def look(site: Site, mlflow_url: str, kinds: Mapping[str, str], plan: Plan, report: Report) -> None:
    """Every accepted job, what was recorded of it, its log, and whatever is left anywhere."""
    jobs = [site.ledger.get(job_id) for job_id in kinds]
    runs = _runs(site, mlflow_url)
    for job in jobs:
        report.states[job.state] += 1
        _look_at(site, job, kinds[job.job_id], plan, report)
        recorded = runs.pop(job.job_id, [])
        wanted = [("FINISHED", job.run_id)] if job.state is JobState.COMPLETED else []
        if recorded != wanted:
            report.doubled.append(f"{job.job_id}: {job.state}, and MLflow has {recorded}")
    report.doubled += [f"{job_id}: MLflow has {found} of a job that nobody posted" for job_id, found in runs.items()]
    report.lost += [*_missing_files(mlflow_url, jobs), *_unasked(site, kinds)]
    report.left_over += left_over(site)


def _look_at(site: Site, job: Job, kind: str, plan: Plan, report: Report) -> None:
    if not job.is_final:
        report.lost.append(job.job_id)
    gave_up = plan.engine and job.failure_reason == "platform" and job.attempt == MAX_ATTEMPTS
    if job.state is not EXPECTED[kind] and not gave_up:
        report.untrue.append(f"{job.job_id}: a {kind} job is {job.state} ({job.error_message})")
    if job.attempt > 1 and not plan.engine and job.state is not JobState.CANCELLED:
        report.doubled.append(f"{job.job_id}: {job.attempt} attempts: {_platform_lines(site, job.job_id)}")
        report.letters += _letters(site, job.job_id)
    if not _whole(site, job):
        report.torn_logs.append(f"{job.job_id}: {job.state} with {lines_of(site.log(job.job_id))}")


def _whole(site: Site, job: Job) -> bool:
    """Every line once and in order, of the last attempt where there were more; as far as it came if cancelled."""
    lines = lines_of(site.log(job.job_id))
    if job.attempt > 1:
        lines = lines[-LINES:]
    return lines == ALL_LINES or (job.state is JobState.CANCELLED and lines == ALL_LINES[: len(lines)])


def _runs(site: Site, mlflow_url: str) -> dict[str, list[tuple[str, str]]]:
    """State and id of MLflow's runs by job, open ones, too."""
    found: dict[str, list[tuple[str, str]]] = {}
    with closing(MlflowTracking(mlflow_url)) as tracking:
        experiment = tracking._experiment(site.benchmark)  # noqa: SLF001 open runs are in no public list
        for run in tracking._search(experiment, ""):  # noqa: SLF001
            tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
            found.setdefault(tags["leadersboard.job_id"], []).append((run["info"]["status"], run["info"]["run_id"]))
    return found


def _missing_files(mlflow_url: str, jobs: Sequence[Job]) -> Iterator[str]:
    """What completed runs left or printed and MLflow does not have."""
    with closing(MlflowTracking(mlflow_url)) as tracking:
        for job in jobs:
            if job.run_id is not None:
                there = {artifact.path for artifact in tracking.get_run(job.run_id).artifacts}
                gone = {"curves/roc.png", f"logs/{job.job_id}.log"} - there
                yield from (f"{job.job_id}: {name} is not in MLflow" for name in sorted(gone))


def _unasked(site: Site, kinds: Mapping[str, str]) -> list[str]:
    """Jobs on record that nobody was told of: one that was asked for again must be the same."""
    cursor, known = None, set[str]()
    while True:
        page = site.ledger.list_jobs(limit=200, cursor=cursor)
        known |= {job.job_id for job in page.jobs}
        cursor = page.next_cursor
        if cursor is None:
            return [f"{job_id}: on record, and nobody was told" for job_id in sorted(known - set(kinds))]


def left_over(site: Site, *, remove: bool = False) -> list[str]:
    """On disk, in the engine, in the ledger."""
    client: Any = site.ledger._redis  # noqa: SLF001 keys have no public list
    keys = [key for name in SETTLED_LISTS for key in client.keys(f"leaderboard:{name}")]
    return [*site.left_on_disk(), *_uploads(site), *_in_engine(site, remove=remove), *keys]


def _uploads(site: Site) -> list[str]:
    root = site.root / "submissions"
    strays = [path for folder in (".staging", ".incoming", ".expired") for path in (root / folder).glob("*")]
    return [str(path.relative_to(root)) for path in strays]


def _in_engine(site: Site, *, remove: bool) -> list[str]:
    socket, image = os.environ["LEADERSBOARD_TEST_ENGINE"], os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"]
    engine = DockerEngine(socket, site=site.ledger.ledger_id(), image=image, seccomp="{}")
    with closing(engine):
        found = engine.job_ids()
        for job_id in found if remove else ():
            engine.remove_leftovers(job_id)
    return [f"container, volume or network of {job_id}" for job_id in found]


def _platform_lines(site: Site, job_id: str) -> list[str]:
    """What the platform said of the job."""
    return re.findall(r"^\[leadersboard\].*$", site.log(job_id), re.MULTILINE)


def _letters(site: Site, job_id: str) -> list[str]:
    """Why the platform failed a job, with the way to it."""
    failures = [letter.failure for letter in site.dead_letters.page(limit=MOST_KEPT).letters]
    return [str(failure) for failure in failures if failure.job_id == job_id]
