"""Jobs of several users while parts are killed, paused and restarted at random; afterwards everything must be right.

    scripts/bench chaos --minutes 20 --jobs 300 --seed 7

The same seed gives the same faults and jobs in the same order; when they meet is up to the machine. Runners, a Redis
and an MLflow of its own and the way to that break; with --engine the inner engine is restarted, too, which takes its
runs along.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import docker

from core.adapters.mlflow_tracking import MlflowTracking
from core.domain.dead_letter import MOST_KEPT
from core.domain.errors import Conflict, Unavailable
from core.domain.job import MAX_ATTEMPTS, Job, JobState
from runner.engine.docker_sandbox import DockerEngine
from tests.docker.own_parts import OwnPart, own_mlflow, own_redis
from tests.docker.runner_site import Site, kill_group, lines_of
from tests.integration.freezing_proxy import FreezingProxy, freezing_proxy
from tests.runner_bench import GOOD

USERS = 5
LINES = 20
RUNNERS = 2
PROCESSES = 2
SETTLE_SECONDS = 180
CLEAR_SECONDS = 60
KINDS = ("good", "good", "good", "good", "failing", "cancelled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What happens, as far as the seed decides it."""

    seconds: float
    jobs: int
    seed: int
    engine: bool = False


@dataclass(kw_only=True)
class Report:
    """What was injected and what was found; every figure but the first three must be zero."""

    jobs: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    torn_logs: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    """What the runners said of jobs for which an attempt was used up: why it was."""

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.untrue, *self.torn_logs, *self.left_over]


class Stage:
    """The parts, and what can be done to them."""

    def __init__(
        self, site: Site, ledger: OwnPart, mlflow: OwnPart, tracking: FreezingProxy, opened: ExitStack, *, engine: bool
    ) -> None:
        self.site, self.mlflow, self._ledger, self._tracking = site, mlflow, ledger, tracking
        self._opened = opened
        self._runners = [self._runner() for _number in range(RUNNERS)]
        self.faults: dict[str, Callable[[random.Random], None]] = {
            "runner killed": self._kill_runner,
            "runner restarted": self._restart_runner,
            "runner paused": self._pause_runner,
            "Redis killed": self._kill_redis,
            "Redis paused": self._pause_redis,
            "MLflow killed": self._kill_mlflow,
            "MLflow away": self._mlflow_away,
            "MLflow cut off": lambda _random: self._tracking.cut(),
        } | ({"engine restarted": self._restart_engine} if engine else {})

    def _runner(self) -> subprocess.Popen[bytes]:
        return self._opened.enter_context(self.site.runner(processes=PROCESSES, MAX_CONCURRENT_RUNNING="2"))

    def _kill_runner(self, random: random.Random) -> None:
        number = random.randrange(RUNNERS)
        kill_group(self._runners[number])
        time.sleep(random.uniform(0, 4))
        self._runners[number] = self._runner()

    def _restart_runner(self, random: random.Random) -> None:
        number = random.randrange(RUNNERS)
        self._runners[number].terminate()
        self._runners[number].wait(60)
        self._runners[number] = self._runner()

    def _pause_runner(self, random: random.Random) -> None:
        group = self._runners[random.randrange(RUNNERS)].pid
        os.killpg(group, signal.SIGSTOP)
        time.sleep(random.uniform(1, 8))
        os.killpg(group, signal.SIGCONT)

    def _kill_redis(self, random: random.Random) -> None:
        self._ledger.kill()
        time.sleep(random.uniform(0, 5))
        self._ledger.start()

    def _pause_redis(self, random: random.Random) -> None:
        self._ledger.pause()
        time.sleep(random.uniform(1, 6))
        self._ledger.unpause()

    def _kill_mlflow(self, random: random.Random) -> None:
        self.mlflow.kill()
        time.sleep(random.uniform(0, 5))
        self.mlflow.start()

    def _mlflow_away(self, random: random.Random) -> None:
        self._tracking.refuse()
        time.sleep(random.uniform(1, 8))
        self._tracking.admit()

    def _restart_engine(self, _random: random.Random) -> None:
        outer = docker.from_env()
        project = os.environ["LEADERSBOARD_TEST_PROJECT"]
        labels = [f"com.docker.compose.project={project}", "com.docker.compose.service=engine"]
        (engine,) = outer.containers.list(filters={"label": labels})
        engine.restart(timeout=10)
        outer.close()


@contextmanager
def stage(root: Path, name: str, *, engine: bool) -> Iterator[Stage]:
    """Everything up; afterwards nothing of it is left."""
    with ExitStack() as opened:
        ledger, mlflow = opened.enter_context(own_redis(name)), opened.enter_context(own_mlflow(name))
        address = urlsplit(mlflow.url)
        tracking = opened.enter_context(freezing_proxy((address.hostname or "", address.port or 80)))
        image = os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"]
        site = Site(root, ledger.url, f"http://127.0.0.1:{tracking.port}", image, name)
        opened.callback(site.close)
        yield Stage(site, ledger, mlflow, tracking, opened, engine=engine)


def program(kind: str, number: int, random: random.Random) -> str:
    """Numbered lines over up to four seconds, then the end of its kind."""
    pause = random.uniform(0.01, 0.2)
    end = {"good": GOOD, "failing": "raise SystemExit(3)\n", "cancelled": "time.sleep(30)\n" + GOOD}[kind]
    return (
        f"import time  # {number}\nfor n in range({LINES}):\n"
        f"    print('line', n, flush=True)\n    time.sleep({pause:.3f})\n{end}"
    )


def run(plan: Plan, root: Path) -> Report:
    """Post, break, wait, look."""
    name = f"chaos{os.getpid()}s{plan.seed}"
    report = Report(jobs=plan.jobs)
    with stage(root, name, engine=plan.engine) as parts:
        posted = _post_and_break(plan, parts, report)
        jobs = _settled(parts.site, posted)
        _cleared(parts.site)
        _look(parts, jobs, posted, plan, report)
    return report


def _post_and_break(plan: Plan, parts: Stage, report: Report) -> Mapping[str, str]:
    """Job ids with their kind. Jobs come evenly over the time, a fault every few seconds between them."""
    choice, posted = random.Random(plan.seed), {}
    began, next_fault = time.monotonic(), 3.0
    for number in range(plan.jobs):
        kind = choice.choice(KINDS)
        text, user = program(kind, number, choice), f"user{choice.randrange(USERS)}"
        request = parts.site.upload(text, user)
        job_id = _insist(partial(parts.site.admit, request))
        posted[job_id] = kind
        if kind == "cancelled":
            _insist(partial(_cancel, parts.site, job_id))
        while time.monotonic() - began < plan.seconds * (number + 1) / plan.jobs:
            if time.monotonic() - began < next_fault:
                time.sleep(0.05)
                continue
            fault = choice.choice(sorted(parts.faults))
            report.faults[fault] += 1
            parts.faults[fault](choice)
            next_fault = time.monotonic() - began + choice.uniform(1, 6)
    return posted


def _insist(step: Callable[[], str]) -> str:
    """As a client does: what was refused is asked again; the same request is the same job."""
    while True:
        try:
            return step()
        except Unavailable:
            time.sleep(0.2)


def _cancel(site: Site, job_id: str) -> str:
    time.sleep(0.5)
    with suppress(Conflict):  # it had ended
        site.ledger.cancel(job_id)
    return job_id


def _settled(site: Site, posted: Mapping[str, str]) -> Mapping[str, Job]:
    until = time.monotonic() + SETTLE_SECONDS + 3 * len(posted)
    while time.monotonic() < until:
        jobs = {job_id: site.ledger.get(job_id) for job_id in posted}
        if all(job.is_final for job in jobs.values()):
            break
        time.sleep(0.5)
    return jobs


def _cleared(site: Site) -> None:
    """A runner that lost its job while a tracking server did not answer lets go of it when that call has ended."""
    until = time.monotonic() + CLEAR_SECONDS
    while (site.left_on_disk() or _in_engine(site)) and time.monotonic() < until:
        time.sleep(1)


EXPECTED = {
    "good": {JobState.COMPLETED},
    "failing": {JobState.FAILED},
    "cancelled": {JobState.CANCELLED},
}


def _look(parts: Stage, jobs: Mapping[str, Job], posted: Mapping[str, str], plan: Plan, report: Report) -> None:
    site, runs = parts.site, _runs(parts.site, parts.mlflow.url)
    for job_id, job in jobs.items():
        report.states[job.state] += 1
        if not job.is_final:
            report.lost.append(job_id)
        platform = plan.engine and job.failure_reason == "platform" and job.attempt == MAX_ATTEMPTS
        if job.state not in EXPECTED[posted[job_id]] and not platform:
            report.untrue.append(f"{job_id}: a {posted[job_id]} job is {job.state} ({job.error_message})")
        if runs[job_id] != (1 if job.state is JobState.COMPLETED else 0):
            report.doubled.append(f"{job_id}: {job.state} with {runs[job_id]} MLflow runs")
        if job.attempt > 1 and not plan.engine and job.state is not JobState.CANCELLED:
            report.doubled.append(f"{job_id}: {job.attempt} attempts: {_platform_lines(site, job_id)}")
            report.letters += _letters(site, job_id)
        if job.state is JobState.COMPLETED and not _whole(site, job):
            report.torn_logs.append(job_id)
    report.lost += _missing_files(parts.mlflow.url, jobs.values())
    report.left_over += site.left_on_disk() + _in_engine(site, remove=True)


def _runs(site: Site, mlflow_url: str) -> Counter[str]:
    """MLflow runs by job, open ones, too."""
    with closing(MlflowTracking(mlflow_url)) as tracking:
        experiment = tracking._experiment(site.benchmark)  # noqa: SLF001 open runs are in no public list
        found = list(tracking._search(experiment, ""))  # noqa: SLF001
    tags = [{tag["key"]: tag["value"] for tag in run["data"]["tags"]} for run in found]
    return Counter(tag["leadersboard.job_id"] for tag in tags)


def _missing_files(mlflow_url: str, jobs: Iterable[Job]) -> list[str]:
    """What completed runs left or printed and MLflow does not have."""
    missing = []
    with closing(MlflowTracking(mlflow_url)) as tracking:
        for job in jobs:
            if job.run_id is not None:
                there = {artifact.path for artifact in tracking.get_run(job.run_id).artifacts}
                gone = {"curves/roc.png", f"logs/{job.job_id}.log"} - there
                missing += [f"{job.job_id}: {name} is not in MLflow" for name in sorted(gone)]
    return missing


def _whole(site: Site, job: Job) -> bool:
    """Every line once and in order, as often as attempts were needed."""
    lines = lines_of(site.log(job.job_id))
    last = [f"line {number}" for number in range(LINES)]
    return lines == last if job.attempt == 1 else lines[-LINES:] == last


def _platform_lines(site: Site, job_id: str) -> list[str]:
    """What the platform said of the job."""
    return [line for line in site.log(job_id).splitlines() if line.startswith("[leadersboard]")]


def _letters(site: Site, job_id: str) -> list[str]:
    """Why the platform failed a job, with the way to it."""
    failures = [letter.failure for letter in site.dead_letters.page(limit=MOST_KEPT).letters]
    return [str(failure) for failure in failures if failure.job_id == job_id]


def _in_engine(site: Site, *, remove: bool = False) -> list[str]:
    socket, image = os.environ["LEADERSBOARD_TEST_ENGINE"], os.environ["LEADERSBOARD_TEST_SANDBOX_IMAGE"]
    engine = DockerEngine(socket, site=site.ledger.ledger_id(), image=image, seccomp="{}")
    found = engine.job_ids()
    for job_id in found if remove else ():
        engine.remove_leftovers(job_id)
    engine.close()
    return [f"container or volume of {job_id}" for job_id in found]


def table(plan: Plan, report: Report) -> str:
    faults = ", ".join(f"{count} × {name}" for name, count in sorted(report.faults.items()))
    states = ", ".join(f"{count} {state}" for state, count in sorted(report.states.items()))
    return (
        "| seed | minutes | jobs | ended as | faults | lost | doubled | untrue state | torn log | left over |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n"
        f"| {plan.seed} | {plan.seconds / 60:.1f} | {report.jobs} | {states} | {sum(report.faults.values())}: {faults} "
        f"| {len(report.lost)} | {len(report.doubled)} | {len(report.untrue)} | {len(report.torn_logs)} "
        f"| {len(report.left_over)} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--jobs", type=int, default=300, choices=range(1, 501), metavar="1..500")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", action="store_true", help="restart the inner engine, too")
    options = parser.parse_args()
    plan = Plan(seconds=60 * options.minutes, jobs=options.jobs, seed=options.seed, engine=options.engine)
    work = Path(os.environ["LEADERSBOARD_TEST_ROOT"]) / "work"  # the engine sees it at the same path
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chaos-", dir=work) as root:
        report = run(plan, Path(root))
        print(table(plan, report))
        for line in (*report.wrong, *report.letters):
            print(f"  {line}")
    raise SystemExit(1 if report.wrong else 0)


if __name__ == "__main__":
    main()
