"""Runs on the real engine: how they end, what of them is kept, and that nothing else is (BOX-9, BOX-10, LOG-1)."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import docker
import pytest

from core.domain.job import JobState
from core.domain.limits import MIB
from core.domain.verdict import FailureReason, Stop
from core.ports.sandbox import SandboxSpec
from core.ports.tracking import Result, RunRef
from runner.engine.container_spec import EngineMeans
from runner.engine.docker_engine import DockerEngine
from runner.job_log.writer import LogWriter
from runner.launch_settings import GRACE_SECONDS
from tests.conftest import service
from tests.docker.conftest import SECCOMP
from tests.twin_runner import GOOD, TwinRunner, jobs_in, when

pytestmark = pytest.mark.docker


METRICS = '{"params": {"method": "m"}, "metrics": {"image_auc": 0.5}}'


def test_a_good_run_is_recorded_with_its_files(runner: TwinRunner[DockerEngine]) -> None:
    """Metrics and artifacts come out of the bounded volume; figures of the run are measured by us."""
    job = runner.run(runner.claim(GOOD + "import time; x = bytearray(50_000_000); time.sleep(2)"))
    _ref, result = runner.tracking.results[job.job_id]
    assert job.state is JobState.COMPLETED
    assert result.metrics.metrics == {"image_auc": 0.5}
    assert result.measured["memory_bytes"] > 50_000_000
    assert 2 < result.measured["wall_seconds"] < 60
    assert result.tags["leadersboard.image_digest"].startswith("sha256:")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise SystemExit(7)", FailureReason.EXIT),
        ("pass", FailureReason.NO_METRICS),
        ("open('/out/metrics.json', 'w').write('[1, 2')", FailureReason.BAD_METRICS),
        ("import os; os.symlink('/etc/passwd', '/out/metrics.json')", FailureReason.BAD_METRICS),
        ("import os; os.mkfifo('/out/metrics.json')", FailureReason.BAD_METRICS),
        ("import os; os.mkdir('/out/metrics.json')", FailureReason.BAD_METRICS),
        ("open('/out/metrics.json', 'w').truncate(2**24)", FailureReason.BAD_METRICS),
        (
            "import os; open('/out/metrics.json', 'w'); os.utime('/out/metrics.json', (2**40,) * 2)",
            FailureReason.BAD_METRICS,
        ),
        ("import os; os.utime('/out', (2**40,) * 2)", FailureReason.BAD_METRICS),
        ("x = []\nwhile True: x.append(bytearray(2**24))", FailureReason.OUT_OF_MEMORY),
        ("f = open('/out/big', 'wb')\nwhile True: f.write(bytes(2**20))", FailureReason.OUTPUT_LIMIT),
        ("for i in range(10**6): open(f'/out/{i}', 'w')", FailureReason.OUTPUT_LIMIT),
    ],
)
def test_a_bad_run_fails_with_its_reason_and_keeps_its_log(
    runner: TwinRunner[DockerEngine], program: str, reason: FailureReason
) -> None:
    """BOX-9: each way to fail has its own reason; the log says how it ended."""
    runner.limits = runner.limits.model_copy(
        update={"memory_bytes": 256 * MIB, "output_bytes": 64 * MIB, "output_files": 1000, "tmp_bytes": 16 * MIB}
    )
    job = runner.run(runner.claim(f"print('begun', flush=True)\n{program}\n"))
    assert (job.state, job.failure_reason) == (JobState.FAILED, reason)
    assert "begun" in runner.log_of(job)
    assert f"Ended: failed: {job.error_message}" in runner.log_of(job)


def test_a_run_past_its_time_is_stopped_whatever_it_ignores(
    runner: TwinRunner[DockerEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOX-9: SIGTERM, then SIGKILL after the grace."""
    monkeypatch.setitem(GRACE_SECONDS, Stop.TIMEOUT, 2.0)
    runner.limits = runner.limits.model_copy(update={"timeout_seconds": 2})
    started = time.monotonic()
    job = runner.run(
        runner.claim("import signal, time; signal.signal(15, signal.SIG_IGN); print('begun'); time.sleep(999)")
    )
    assert (job.failure_reason, "begun" in runner.log_of(job)) == (FailureReason.TIMEOUT, True)
    assert time.monotonic() - started < 300


def test_a_cancelled_job_is_gone_within_ten_seconds(
    runner: TwinRunner[DockerEngine], inner: docker.DockerClient
) -> None:
    """JOB-8, from the cancel to the empty engine, also for a program that ignores SIGTERM."""
    claim = runner.claim("import signal, time; signal.signal(15, signal.SIG_IGN); print('begun'); time.sleep(999)")
    at: list[float] = []

    def cancel() -> None:
        at.append(time.monotonic())
        runner.ledger.cancel(claim.job_id)

    canceller = when(lambda: "begun" in runner.storage.read_log(claim.job_id).text, cancel)
    job = runner.run(claim)
    canceller.join()
    assert job.state is JobState.CANCELLED
    assert time.monotonic() - at[0] < 100
    assert (
        inner.containers.list(all=True, filters={"label": f"leadersboard.job={job.job_id}"}, ignore_removed=True) == []
    )


def test_links_and_devices_stay_behind(runner: TwinRunner[DockerEngine]) -> None:
    """TRK-2, H53: what is recorded is a copy of plain files only, and the log says what was left out."""
    program = (
        "import os; os.symlink('/etc/passwd', '/out/passwd'); os.symlink('/etc', '/out/etc'); os.mkfifo('/out/pipe')\n"
        "open('/out/fine.txt', 'w').write('x')\n"
        f"open('/out/metrics.json', 'w').write({METRICS!r})\n"
    )
    kept: list[str] = []
    record = runner.tracking.record

    def recorded(result: Result, **asked: Any) -> RunRef:
        assert result.artifacts is not None
        kept.extend(
            path.relative_to(result.artifacts).as_posix() for path in result.artifacts.rglob("*") if path.is_file()
        )
        return record(result, **asked)

    runner.tracking.record = recorded  # type: ignore[method-assign]
    job = runner.run(runner.claim(program))
    assert job.state is JobState.COMPLETED
    assert sorted(kept) == ["fine.txt", "leadersboard/config.json", f"logs/{job.job_id}.log"]
    for name in ("passwd", "etc", "pipe"):
        assert f"'{name}' was left out" in runner.log_of(job)


def test_sparse_files_cannot_blow_up_the_harvest(runner: TwinRunner[DockerEngine]) -> None:
    """H36: a hundred sparse files, each as large as the bound, cost at most the bound."""
    runner.limits = runner.limits.model_copy(update={"output_bytes": 64 * MIB})
    program = (
        "for i in range(100): open(f'/out/s{i}', 'wb').truncate(64 * 2**20)\n"
        f"open('/out/metrics.json', 'w').write({METRICS!r})\n"
    )
    started = time.monotonic()
    job = runner.run(runner.claim(program))
    assert job.state is JobState.COMPLETED
    assert "The rest of the output was left out" in runner.log_of(job)
    assert time.monotonic() - started < 300


def test_a_fork_bomb_ends_at_its_limit(runner: TwinRunner[DockerEngine]) -> None:
    """H23: the run hits its own wall; the engine and its neighbours do not notice."""
    program = (
        "import os, time\nn = 0\ntry:\n    while True:\n        if os.fork() == 0: time.sleep(99)\n        n += 1\n"
        "except OSError as error:\n    print('stopped at', n, error.errno, flush=True)\n"
    )
    runner.limits = runner.limits.model_copy(update={"pids": 64})
    log = runner.log_of(runner.run(runner.claim(program)))
    assert "stopped at 62 11" in log or "stopped at 61 11" in log


def test_names_of_the_platforms_own_are_left_out(runner: TwinRunner[DockerEngine]) -> None:
    """A submission cannot keep its log from being recorded, nor put another in its place."""
    program = (
        "import os; job = __import__('json').load(open('/config/job.json'))['job_id']\n"
        "os.makedirs(f'/out/logs/{job}.log'); open(f'/out/logs/{job}.log/x', 'w'); open('/out/logs/mine.txt', 'w')\n"
        f"open('/out/metrics.json', 'w').write({METRICS!r})\n"
    )
    job = runner.run(runner.claim(program))
    assert job.state is JobState.COMPLETED
    assert "the name is the platform's own" in runner.log_of(job)


def test_the_sweeper_removes_what_no_job_owns(runner: TwinRunner[DockerEngine], engine: DockerEngine) -> None:
    """BOX-10: a container whose job has ended elsewhere does not stay, its volume and folder neither."""
    claim = runner.claim("import time; time.sleep(99)")
    folder = runner.root / "jobs" / claim.job_id
    (folder / "config").mkdir(parents=True)
    spec = SandboxSpec(
        site=runner.site, job_id=claim.job_id, attempt=1, claim="c1", user_id="ann", entrypoint="main.py",
        config_file="config.yaml", limits=runner.limits, image=runner.image, config=folder / "config",
        submission=runner.storage.submission_files(claim.job.submission_id),
    )  # fmt: skip
    runner.ledger.note(claim, sandbox="c1")
    position = folder / "position"
    path = runner.storage.log_path(claim.job_id)
    with LogWriter(path, position=position, confirm=lambda: None, **runner.log_limits) as job_log:
        engine.launch(spec, job_log).detach()
    sweeper = runner.sweeper()
    sweeper.sweep()
    assert jobs_in(engine) == {claim.job_id}, "a running job's container was removed"
    runner.ledger.cancel(claim.job_id)
    runner.ledger._leases.take(claim.job_id, claim.token, -1.0)
    sweeper.sweep()
    assert jobs_in(engine) == set()


def test_a_failed_run_is_kept_for_its_admins_where_the_site_wants_it(
    runner: TwinRunner[DockerEngine], inner: docker.DockerClient, image: str
) -> None:
    """BOX-11: its stopped container with its options and its end, without its output; and only for so long.

    So long as was set when it was launched: a runner with another setting beside it removes nothing before.
    """
    without = runner.engine
    runner.engine = DockerEngine(
        service("LEADERSBOARD_TEST_ENGINE"), site=runner.site, image=image, seccomp=SECCOMP,
        means=EngineMeans(keep_failed_seconds=60),
    )  # fmt: skip
    good, bad = runner.run(runner.claim(GOOD)), runner.run(runner.claim("open('/out/x', 'w'); raise SystemExit(7)"))
    assert (good.state, bad.failure_reason) == (JobState.COMPLETED, FailureReason.EXIT)
    usual = runner.sweeper()
    sweeper = replace(usual, engine=replace(usual.engine, engine=without))
    sweeper.sweep()
    sweeper.engine.freed()
    assert jobs_in(runner.engine) == {bad.job_id}
    (kept,) = inner.containers.list(all=True, filters={"label": f"leadersboard.job={bad.job_id}"}, ignore_removed=True)
    assert (kept.labels["leadersboard.role"], kept.status, kept.attrs["State"]["ExitCode"]) == ("job", "exited", 7)
    assert kept.attrs["HostConfig"]["NetworkMode"] == "none"
    ended = replace(bad, finished_at=bad.finished_at - timedelta(seconds=61) if bad.finished_at else None)
    runner.ledger.restore(ended)
    sweeper.engine.freed()
    assert jobs_in(runner.engine) == set()
    runner.engine.close()
