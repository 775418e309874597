"""Checks what must hold once all jobs are posted and every service is up again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.dead_letter import MOST_KEPT
from core.domain.job import MAX_ATTEMPTS, Job, JobState
from measurements.chaos.limits import deserved
from measurements.chaos.plan import LINES, Plan, Report
from measurements.chaos.stage import Stage
from tests.docker.runner_site import Site, half_made, in_engine, lines_of, processes

ALL_LINES = [f"line {number}" for number in range(LINES)]
OWN = r"^\N{REPLACEMENT CHARACTER}\[leadersboard\]"
"""The beginning of a platform's line; its mark is no valid UTF-8."""
MISSING = rf"{OWN} \.\.\. \d+ bytes are missing here: the disk "
SETTLED_LISTS = ("leases", "orphans", "cancelling", "running:*", "waiting:*", "pending:*")
"""The ledger's keys about jobs that have not ended, without its prefix."""


def look(site: Site, mlflow_url: str, kinds: Mapping[str, str], plan: Plan, report: Report) -> None:
    """Check every accepted job, its run in MLflow, and its log, and find runs and jobs that were not posted."""
    jobs = [site.ledger.get(job_id) for job_id in kinds]
    runs = runs_by_job(site, mlflow_url)
    for job in jobs:
        report.states[job.state] += 1
        _look_at(site, job, kinds[job.job_id], plan, report)
        recorded = runs.pop(job.job_id, [])
        wanted = [("FINISHED", job.run_id)] if job.state is JobState.COMPLETED else []
        if recorded != wanted:
            report.doubled.append(f"{job.job_id}: {job.state}, and MLflow has {recorded}")
    report.doubled += [f"{job_id}: MLflow has {found} of a job that nobody posted" for job_id, found in runs.items()]
    report.lost += [*missing_files(mlflow_url, jobs), *_unasked(site, kinds)]


def _look_at(site: Site, job: Job, kind: str, plan: Plan, report: Report) -> None:
    log = site.log(job.job_id)
    if not job.is_final:
        report.lost.append(job.job_id)
    gave_up = plan.engine and job.failure_reason == "platform" and job.attempt == MAX_ATTEMPTS
    state, reason, words = deserved(kind, log)
    is_so = (job.state, job.failure_reason) == (state, reason) and words in (job.error_message or "")
    if not is_so and not gave_up:
        report.untrue.append(f"{job.job_id}: a {kind} job is {job.state} ({job.failure_reason}: {job.error_message})")
    if job.attempt > 1 and not plan.engine and job.state is not JobState.CANCELLED:
        report.doubled.append(f"{job.job_id}: {job.attempt} attempts: {_platform_lines(log)}")
        report.letters += _letters(site, job.job_id)
    if kind != "unfit" and not _whole(job, log):
        report.torn_logs.append(f"{job.job_id}: {job.state} with {lines_of(log)}")


def _whole(job: Job, log: str) -> bool:
    """Whether the log has every line once and in order: of the last attempt, and for a cancelled job up to its end.

    A job that never began has no log. A disk that could not be written may have lost lines: then the log says where
    they are missing.
    """
    if not log and job.attempt == 0:
        return True
    lines = lines_of(log)
    if job.attempt > 1:
        lines = lines[-LINES:]
    if re.search(MISSING, log, re.MULTILINE):
        return [line for line in ALL_LINES if line in lines] == lines
    if not re.search(rf"{OWN} Ended: {job.state}", log, re.MULTILINE):
        return False
    return lines == ALL_LINES or (job.state is JobState.CANCELLED and lines == ALL_LINES[: len(lines)])


def runs_by_job(site: Site, mlflow_url: str) -> dict[str, list[tuple[str, str]]]:
    """State and id of MLflow's runs, by job; including open ones."""
    found: dict[str, list[tuple[str, str]]] = {}
    with closing(MlflowTracking(mlflow_url)) as tracking:
        experiment = tracking._experiment(site.benchmark)  # noqa: SLF001 no public method lists open runs
        for run in tracking._search(experiment, ""):  # noqa: SLF001
            tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
            found.setdefault(tags["leadersboard.job_id"], []).append((run["info"]["status"], run["info"]["run_id"]))
    return found


def missing_files(mlflow_url: str, jobs: Sequence[Job]) -> Iterator[str]:
    """Files and logs of completed runs that are not in MLflow."""
    with closing(MlflowTracking(mlflow_url)) as tracking:
        for job in jobs:
            if job.run_id is not None:
                there = {artifact.path for artifact in tracking.get_run(job.run_id).artifacts}
                gone = {"curves/roc.png", f"logs/{job.job_id}.log"} - there
                yield from (f"{job.job_id}: {name} is not in MLflow" for name in sorted(gone))


def _unasked(site: Site, kinds: Mapping[str, str]) -> list[str]:
    """Jobs on record whose id no user received: a repeated request must get the same job."""
    cursor, known = None, set[str]()
    while True:
        page = site.ledger.list_jobs(limit=200, cursor=cursor)
        known |= {job.job_id for job in page.jobs}
        cursor = page.next_cursor
        if cursor is None:
            return [f"{job_id}: on record, and nobody was told" for job_id in sorted(known - set(kinds))]


def left_over(parts: Stage) -> list[str]:
    """What is left on disk, in the engine and in the ledger."""
    site = parts.site
    client: Any = site.ledger._redis  # noqa: SLF001 no public method lists keys
    keys = [key for name in SETTLED_LISTS for key in client.keys(f"leaderboard:{name}")]
    dead = len(processes(site)) - parts.processes
    files = [f"files of {dead} dead processes"] if dead > 0 else []
    return [*site.left_on_disk(), *half_made(site), *files, *_uploads(site), *in_engine(site, parts.inner), *keys]


def _uploads(site: Site) -> list[str]:
    root = site.root / "submissions"
    strays = [path for folder in (".staging", ".incoming", ".expired") for path in (root / folder).glob("*")]
    return [str(path.relative_to(root)) for path in strays]


def _platform_lines(log: str) -> list[str]:
    """The platform's lines in a log."""
    return re.findall(rf"{OWN}.*$", log, re.MULTILINE)


def _letters(site: Site, job_id: str) -> list[str]:
    """The dead letters about a job, with their stack frames."""
    failures = [letter.failure for letter in site.dead_letters.page(limit=MOST_KEPT).letters]
    return [str(failure) for failure in failures if failure.job_id == job_id]
