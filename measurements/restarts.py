"""Runs jobs of many users while gateway, runner, Redis and MLflow are restarted, each twice, as an admin does it.

    scripts/measure restarts --jobs 300 --users 30 --minutes 4

Starts all services itself, except the engine. Prints the figures and every broken promise; then it exits with 1. The
promises: each job completes in its first attempt, with one run in MLflow and its whole log; no user has two running
jobs, or more than the hour's limit; jobs begin in the order of the queue; clients get at most two 503.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import httpx2

from core.domain.job import Job, JobState
from core.domain.limits import SMALL
from measurements.chaos.findings import ALL_LINES, missing_files, runs_by_job
from measurements.chaos.people import Crowd, token
from measurements.chaos.plan import Wish, program
from measurements.chaos.stage import door_settings, gateway_process
from tests.docker.own_parts import OwnPart, own_mlflow, own_redis
from tests.docker.runner_site import Site, lines_of
from tests.running_gateway import free_port

PROCESSES = 4
ROUNDS = 2
MOST_UNAVAILABLE = 2
STOP_SECONDS = 60
POSTED_SECONDS = 60
SETTLE_SECONDS_EACH = 5
WAITING = "The result is kept"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The services that are restarted, and a function to restart each."""

    site: Site
    mlflow_url: str
    url: str
    restarts: dict[str, Callable[[], None]]


class Program:
    """A process that can be terminated and started again."""

    def __init__(self, opened: ExitStack, begin: Callable[[], AbstractContextManager[subprocess.Popen[bytes]]]) -> None:
        self._opened, self._begin = opened, begin
        self._process = opened.enter_context(begin())

    def restart(self) -> None:
        self._process.terminate()
        self._process.wait(STOP_SECONDS)
        self._process = self._opened.enter_context(self._begin())


def parts(opened: ExitStack, root: Path, *, users: int, jobs_each: int) -> Parts:
    name = f"restarts{os.getpid()}"
    redis, mlflow = opened.enter_context(own_redis(name)), opened.enter_context(own_mlflow(name))
    site = Site(root, redis.url, mlflow.url, os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"], name)
    opened.callback(site.close)
    ours = {"RESOURCE_CLASSES": json.dumps([SMALL.model_dump()]), "MAX_CONCURRENT_RUNNING": "1"}
    door, port = door_settings(site, users=users) | ours | {"MAX_SUBMISSIONS_PER_HOUR": str(jobs_each)}, free_port()
    gateway = Program(opened, partial(gateway_process, site, door, port))
    runner = Program(opened, partial(site.runner, processes=PROCESSES, LEASE_SECONDS="30", **ours))
    restarts = {part: one.restart for part, one in {"gateway": gateway, "runner": runner}.items()}
    restarts |= {"Redis": partial(stop_and_start, redis), "MLflow": partial(stop_and_start, mlflow)}
    return Parts(site=site, mlflow_url=mlflow.url, url=f"http://127.0.0.1:{port}", restarts=restarts)


def stop_and_start(part: OwnPart) -> None:
    part.stop()
    part.start()


def wishes(jobs: int, users: int, seconds: float) -> Iterator[Wish]:
    """Jobs evenly over the time, of the users in turn."""
    choice = random.Random(jobs)
    for number in range(jobs):
        yield Wish(
            number=number, at_seconds=seconds * number / jobs, user=f"user{number % users}", kind="good",
            program=program("good", number, choice),
        )  # fmt: skip


def restart_all(made: Parts, seconds: float) -> None:
    """Restart each service ROUNDS times, evenly over the time."""
    began, names = time.monotonic(), list(made.restarts) * ROUNDS
    for number, name in enumerate(names, start=1):
        time.sleep(max(0.0, began + seconds * number / (len(names) + 1) - time.monotonic()))
        made.restarts[name]()


def settled(site: Site, job_ids: Sequence[str]) -> list[Job]:
    until = time.monotonic() + SETTLE_SECONDS_EACH * len(job_ids)
    while time.monotonic() < until and not all(site.ledger.get(job_id).is_final for job_id in job_ids):
        time.sleep(1)
    return [site.ledger.get(job_id) for job_id in job_ids]


def one_more(made: Parts, users: int) -> Iterator[int]:
    """Post one job beyond the hour's limit of each user. Yields the statuses."""
    for number in range(users):
        headers = {"Authorization": f"Bearer {token(f'user{number}')}"}
        with httpx2.Client(base_url=made.url, headers=headers, timeout=30.0, trust_env=False) as door:
            stored = door.post("/submissions", files=[("files", ("main.py", b"print('one more')"))]).raise_for_status()
            config = {"benchmark": made.site.benchmark, "resource_class": SMALL.name}
            wanted = {"submission_id": stored.json()["submission_id"], "config": config}
            yield door.post("/jobs", json=wanted).status_code


def untrue(made: Parts, jobs: Sequence[Job]) -> Iterator[str]:
    """Jobs that did not complete in their first attempt, with one run in MLflow and their whole log."""
    runs = runs_by_job(made.site, made.mlflow_url)
    for job in jobs:
        told = (job.state, job.attempt, runs.pop(job.job_id, []), lines_of(made.site.log(job.job_id)) == ALL_LINES)
        if told != (JobState.COMPLETED, 1, [("FINISHED", job.run_id)], True):
            yield f"{job.job_id}: state, attempt, runs, whole log: {told}"
    yield from (f"{job_id}: a run of no job" for job_id in runs)
    yield from missing_files(made.mlflow_url, jobs)


def out_of_turn(site: Site, jobs: Sequence[Job]) -> Iterator[str]:
    """Jobs that began before their user's previous job had ended, or waited only for MLflow."""
    for user in {job.user_id for job in jobs}:
        own = sorted((job for job in jobs if job.user_id == user), key=lambda job: job.created_at)
        for one, other in pairwise(own):
            over = one.started_at if WAITING in site.log(one.job_id) else one.finished_at
            if not (over and other.started_at and over <= other.started_at):
                yield f"{other.job_id} of {user} began before {one.job_id}, posted before it, had ended"


def overtaken(jobs: Sequence[Job]) -> Iterator[str]:
    """Jobs that began after a job posted later, although no other job of their user was running."""
    times = [(job.job_id, job.user_id, job.created_at, job.started_at, job.finished_at) for job in jobs]
    whole = [(job_id, user, posted, begun, over) for job_id, user, posted, begun, over in times if begun and over]
    for job_id, _user, posted, begun, _over in whole:
        for other, user, earlier, late, _end in whole:
            if earlier < posted and late > begun:
                busy = any(u == user and since < begun <= end for _id, u, _posted, since, end in whole)
                if not busy:
                    yield f"{job_id} overtook {other}"


def measure(made: Parts, *, jobs: int, users: int, seconds: float) -> tuple[dict[str, int], list[str]]:
    """The figures, and the broken promises."""
    crowd = Crowd(url=made.url, benchmark=made.site.benchmark)
    crowd.begin(wishes(jobs, users, seconds))
    restart_all(made, seconds)
    crowd.join(POSTED_SECONDS)
    found = settled(made.site, list(crowd.kinds))
    refusals = Counter(one_more(made, users))
    wrong = [*crowd.refused, *untrue(made, found), *out_of_turn(made.site, found), *overtaken(found)]
    if refusals != {httpx2.codes.TOO_MANY_REQUESTS: users}:
        wrong.append(f"one more job of each was answered {dict(refusals)}")
    if len(found) != jobs:
        wrong.append(f"{jobs - len(found)} jobs could not be posted")
    if crowd.put_off["503"] > MOST_UNAVAILABLE:
        wrong.append(f"clients got {crowd.put_off['503']} × 503")
    told = {
        "jobs": len(found), "users": users, "completed": sum(job.state is JobState.COMPLETED for job in found),
        "in attempt 1": sum(job.attempt == 1 for job in found), "503": crowd.put_off["503"],
        "requests without an answer": crowd.put_off["not answered"], "wrong": len(wrong),
    }  # fmt: skip
    return told, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--users", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=4, help="of posting")
    options = parser.parse_args()
    work, began = Path(os.environ["LEADERSBOARD_TEST_ROOT"]) / "work", time.monotonic()
    work.mkdir(parents=True, exist_ok=True)  # the engine has it mounted at the same path
    with tempfile.TemporaryDirectory(prefix="restarts-", dir=work) as root, ExitStack() as opened:
        made = parts(opened, Path(root), users=options.users, jobs_each=options.jobs // options.users)
        told, wrong = measure(made, jobs=options.jobs, users=options.users, seconds=60 * options.minutes)
    told["seconds"] = round(time.monotonic() - began)
    print("| " + " | ".join(told) + " |\n" + "|---" * len(told) + "|")
    print("| " + " | ".join(str(number) for number in told.values()) + " |")
    for line in wrong:
        print(f"  {line}")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
