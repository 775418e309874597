"""The real runner process (`dramatiq runner.main:build`) on real Redis and the real engine: it starts, stops, dies."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis
from dramatiq.brokers.redis import RedisBroker

from core.adapters.dramatiq_queue import DramatiqQueue
from core.adapters.filesystem_storage import FilesystemStorage
from core.adapters.redis_job_status import RedisJobStatus
from core.domain.job import Job, JobRequest, JobState
from core.domain.limits import UploadLimits, UserLimits
from core.domain.submission import Upload, UploadedFile
from runner.docker_sandbox import DockerEngine
from tests.conftest import REPOSITORY, redis_url, service
from tests.runner_bench import BENCHMARK, GOOD

pytestmark = pytest.mark.docker

SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(6)\n" + GOOD
PATIENCE_SECONDS = 60


class Site:
    """Folders, ledger and settings of a small site; runner processes are started on them."""

    def __init__(self, root: Path, client: redis.Redis, mlflow_url: str, image: str, benchmark: str) -> None:
        for name in ("submissions", "logs", "jobs", f"benchmarks/{benchmark}/public"):
            (root / name).mkdir(parents=True)
        text = BENCHMARK.replace("name: synthetic", f"name: {benchmark}")
        (root / "benchmarks" / benchmark / "benchmark.yaml").write_text(text)
        self.root, self.benchmark = root, benchmark
        self.ledger = RedisJobStatus(client)
        self.bell = DramatiqQueue(RedisBroker(url=redis_url(), middleware=[]))
        self.storage = FilesystemStorage(
            upload_root=root / "submissions", log_root=root / "logs", limits=UploadLimits(), min_free_bytes=0
        )
        self.environment = os.environ | {
            "REDIS_URL": redis_url(), "MLFLOW_TRACKING_URI": mlflow_url, "SANDBOX_IMAGE": image,
            "ENGINE_SOCKET": service("LEADERSBOARD_TEST_ENGINE"), "UPLOAD_ROOT": str(root / "submissions"),
            "LOG_ROOT": str(root / "logs"), "JOB_ROOT": str(root / "jobs"), "BENCHMARK_ROOT": str(root / "benchmarks"),
            "LEASE_SECONDS": "3", "SWEEP_SECONDS": "0.5", "dramatiq_queue_prefetch": "1",
        }  # fmt: skip

    def post(self, program: str) -> str:
        upload = Upload(user_id="ann", files=[UploadedFile(name="main.py", content=io.BytesIO(program.encode()))])
        submission = self.storage.create_submission(upload, {})
        request = JobRequest(
            submission_id=submission.submission_id, user_id="ann", resource_class="small", benchmark=self.benchmark
        )
        self.ledger.admit(request, UserLimits())
        self.bell.ring("small")
        return request.job_id

    @contextmanager
    def runner(self) -> Iterator[subprocess.Popen[bytes]]:
        """A runner process in a group of its own, ended with all its children however the test ends."""
        command = [sys.executable, "-m", "dramatiq", "runner.main:build", "--processes", "1", "--threads", "1"]
        with (self.root / "runner.txt").open("ab") as words:
            process = subprocess.Popen(
                [*command, "--worker-shutdown-timeout", "20000"], cwd=REPOSITORY, env=self.environment, stdout=words,
                stderr=words, start_new_session=True,
            )  # fmt: skip
            try:
                yield process
            finally:
                kill_group(process)

    def log(self, job_id: str) -> str:
        return self.storage.read_log(job_id).text


def kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


@pytest.fixture
def site(
    engine_folder: Path, redis_client: redis.Redis, mlflow_url: str, image: str, fresh_name: str
) -> Iterator[Site]:
    made = Site(engine_folder, redis_client, mlflow_url, image, fresh_name)
    yield made
    cleaner = DockerEngine(service("LEADERSBOARD_TEST_ENGINE"), site=made.ledger.ledger_id(), image=image, seccomp="{}")
    left = cleaner.job_ids()
    for job_id in left:
        cleaner.remove_leftovers(job_id)
    cleaner.close()
    assert not left, f"left in the engine: {left}"


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s until {what}"
        time.sleep(0.05)


def ended(site: Site, job_id: str) -> Job:
    until(lambda: site.ledger.get(job_id).is_final, "the job has ended")
    return site.ledger.get(job_id)


def test_a_ring_starts_the_job_and_mlflow_has_its_run(site: Site) -> None:
    """The process hears, claims, runs and records; one job at a time, in order."""
    ids = [site.post(GOOD + f"# {number}\n") for number in range(2)]
    with site.runner():
        jobs = [ended(site, job_id) for job_id in ids]
    assert [job.state for job in jobs] == [JobState.COMPLETED, JobState.COMPLETED]
    assert all(job.run_id for job in jobs)
    first, second = jobs
    assert first.finished_at is not None
    assert second.started_at is not None
    assert first.finished_at <= second.started_at


def test_a_lost_ring_is_rung_again(site: Site, redis_client: redis.Redis) -> None:
    """The ledger is the truth: without any message the sweeper finds the waiting job."""
    job_id = site.post(GOOD)
    redis_client.delete("dramatiq:jobs.small", "dramatiq:jobs.small.msgs")
    with site.runner():
        assert ended(site, job_id).state is JobState.COMPLETED


def test_a_killed_runner_costs_an_attempt_and_not_the_job(site: Site) -> None:
    """REL-2: after kill -9 the lease runs out, another runner runs the job to its end, and the engine is left clean."""
    job_id = site.post(SLOW)
    with site.runner() as first:
        until(lambda: "begun" in site.log(job_id), "the job runs")
        kill_group(first)
    with site.runner():
        job = ended(site, job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 2)
    assert "Attempt 1" in site.log(job_id)
    assert "Attempt 2" in site.log(job_id)
    assert list((site.root / "jobs").iterdir()) == []


def test_a_runner_that_is_asked_to_stop_lets_a_short_job_end(site: Site) -> None:
    """RUN-3: it takes no more jobs, finishes what it holds if that soon ends, and exits cleanly."""
    job_id = site.post(SLOW)
    waiting = site.post(GOOD + "# second\n")
    with site.runner() as process:
        until(lambda: "begun" in site.log(job_id), "the job runs")
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert site.ledger.get(job_id).state is JobState.COMPLETED
    assert site.ledger.get(waiting).state is JobState.PENDING


def test_a_runner_that_is_asked_to_stop_hands_a_long_job_over(site: Site) -> None:
    """RUN-3: after its grace the job waits for another runner, with no attempt used up and nothing left behind."""
    job_id = site.post("import time\nprint('begun', flush=True)\ntime.sleep(999)\n")
    with site.runner() as process:
        until(lambda: "begun" in site.log(job_id), "the job runs")
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    job = site.ledger.get(job_id)
    assert (job.state, job.attempt) == (JobState.PENDING, 0)
    assert "stopping" in site.log(job_id)
    site.ledger.cancel(job_id)
