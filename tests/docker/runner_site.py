"""A small site for real runner processes: folders, a ledger in Redis, an MLflow, the real inner engine."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import docker
from dramatiq.brokers.redis import RedisBroker

from core.adapters.dramatiq_queue import DramatiqQueue
from core.adapters.files.folder_look import MARK, PROOF
from core.adapters.files.old_files import EARLIER
from core.adapters.files.storage import FilesystemStorage
from core.adapters.files.trial_files import FOLDER as TRIALS
from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.connection import connect
from core.adapters.redis.dead_letters import RedisDeadLetters
from core.adapters.redis.job_status import RedisJobStatus
from core.domain.errors import Unavailable
from core.domain.job import Job, JobRequest
from core.domain.limits import SMALL, UploadLimits, UserLimits
from core.domain.submission import Upload, UploadedFile
from tests.conftest import REPOSITORY, service
from tests.twin_runner import BENCHMARK, GOOD

COUNT = """
import time
print("begun", flush=True)
for number in range(30):
    print("line", number, flush=True)
    time.sleep(0.2)
"""
SLOW = COUNT + GOOD
LINES = [f"line {number}" for number in range(30)]
DEFAULTS = {"LEASE_SECONDS": "30", "SWEEP_SECONDS": "5"}
"""What a site has that sets neither; the tests' own are shorter."""
PATIENCE_SECONDS = 240
KEPT_FOLDERS = {TRIALS, ".held", ".canary", ".processes", ".sites", ".dependencies", ".manifests", "lost+found", MARK}
"""Of the folder of jobs; what lies in them besides locks of living processes is told by the tests of each."""


class Site:
    """Folders, ledger and settings of a small site; runner processes are started on them."""

    def __init__(self, root: Path, redis_url: str, mlflow_url: str, image: str, benchmark: str) -> None:
        for name in ("submissions", "logs", "jobs", f"benchmarks/{benchmark}/public"):
            (root / name).mkdir(parents=True)
        text = BENCHMARK.replace("name: synthetic", f"name: {benchmark}")
        (root / "benchmarks" / benchmark / "benchmark.yaml").write_text(text)
        self.root, self.benchmark = root, benchmark
        self._client = connect(redis_url)
        self.ledger = RedisJobStatus(self._client)
        self.dead_letters = RedisDeadLetters(self._client)
        self._broker = RedisBroker(url=redis_url, middleware=[])
        self.bell = DramatiqQueue(self._broker)
        self.storage = FilesystemStorage(
            upload_root=root / "submissions", log_root=root / "logs", limits=UploadLimits(), min_free_bytes=0
        )
        self.environment = os.environ | {
            "REDIS_URL": redis_url, "MLFLOW_TRACKING_URI": mlflow_url, "SANDBOX_IMAGE": image,
            "ALLOW_OLD_ENGINE": "true",
            "ENGINE_SOCKET": service("LEADERSBOARD_TEST_ENGINE"), "UPLOAD_ROOT": str(root / "submissions"),
            "LOG_ROOT": str(root / "logs"), "JOB_ROOT": str(root / "jobs"), "BENCHMARK_ROOT": str(root / "benchmarks"),
            "LABELS_ROOT": str(root / "labels"),
            "LEASE_SECONDS": "3", "SWEEP_SECONDS": "0.5",
            "RESOURCE_CLASSES": json.dumps([SMALL.model_dump()]),  # each class is probed at each runner's start
        }  # fmt: skip

    def post(self, program: str, user: str = "ann") -> str:
        return self.admit(self.upload(program, user))

    def upload(self, program: str, user: str) -> JobRequest:
        upload = Upload(user_id=user, files=[UploadedFile(name="main.py", content=io.BytesIO(program.encode()))])
        submission = self.storage.create_submission(upload, {})
        return JobRequest(
            submission_id=submission.submission_id, user_id=user, resource_class="small", benchmark=self.benchmark
        )

    def admit(self, request: JobRequest) -> str:
        """As the gateway does: a bell that cannot be rung loses nothing."""
        self.ledger.admit(request, UserLimits(jobs_per_hour=1000, queue_when_over=True))
        with suppress(Unavailable):
            self.bell.ring("small")
        return request.job_id

    @contextmanager
    def runner(
        self, build: str = "runner.main:build", *, processes: int = 1, **environment: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A runner process in a group of its own, ended with all its children however the test ends."""
        command = [sys.executable, "-m", "dramatiq", build, "--processes", str(processes), "--threads", "1"]
        with (self.root / "runner.txt").open("ab") as words:
            process = subprocess.Popen(
                [*command, "--worker-shutdown-timeout", "20000"], cwd=REPOSITORY, env=self.environment | environment,
                stdout=words, stderr=words, start_new_session=True,
            )  # fmt: skip
            try:
                yield process
            finally:
                kill_group(process)

    def words(self) -> str:
        """What the runner processes said."""
        said = self.root / "runner.txt"
        return said.read_text() if said.exists() else ""

    def log(self, job_id: str) -> str:
        """The whole of it, also where a reader is shown its end only."""
        path = self.storage.log_path(job_id)
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        self._broker.close()
        self._broker.client.close()
        self._client.close()

    def left_on_disk(self) -> list[str]:
        """Besides submissions and logs."""
        found = [*(self.root / "jobs").iterdir(), *(self.root / "jobs" / ".held").iterdir(), *self._stray_logs()]
        return [path.name for path in found if path.name not in KEPT_FOLDERS]

    def _stray_logs(self) -> Iterator[Path]:
        return (
            path
            for path in (self.root / "logs").iterdir()
            if path.suffix != ".log" and path.name not in {MARK, EARLIER, TRIALS}
        )


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """All of them are gone afterwards: one that is still dying holds its files open."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    until(lambda: not living(process.pid), "the whole group is dead")


def living(group: int) -> list[str]:
    """The members of a process group that are not yet dead, which zombies are (proc(5): state, parent, group)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just gone
            state, _parent, members_group = stat.read_text().rpartition(")")[2].split()[:3]
            found += [stat.parent.name] if int(members_group) == group and state not in "ZX" else []
    return found


def until(condition: Callable[[], bool], what: str) -> None:
    """While the ledger is away the condition counts as not met."""
    deadline = time.monotonic() + PATIENCE_SECONDS

    def met() -> bool:
        with suppress(Unavailable):
            return condition()
        return False

    while not met():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s until {what}"
        time.sleep(0.05)


def until_nothing_is_left(site: Site, inner: docker.DockerClient) -> None:
    """Of any job: on disk, and in that engine."""
    until(lambda: site.left_on_disk() == [], "no folder is left")
    label = {"label": f"leadersboard.site={site.ledger.ledger_id()}"}
    until(lambda: not inner.containers.list(all=True, filters=label, ignore_removed=True), "no container is left")
    until(lambda: not inner.volumes.list(filters=label), "no volume is left")


def in_engine(site: Site, inner: docker.DockerClient) -> list[str]:
    """Everything of the site, whatever it is."""
    mine = {"label": f"leadersboard.site={site.ledger.ledger_id()}"}
    found = [box.name for box in inner.containers.list(all=True, filters=mine, ignore_removed=True)]
    found += [volume.name for volume in inner.volumes.list(filters=mine)]
    return [*found, *(network.name for network in inner.networks.list(filters=mine))]


def half_made(site: Site) -> list[str]:
    """Files in the making, and proofs that a folder can be written, which living processes have for a moment, too."""
    jobs = site.root / "jobs"
    found = [*jobs.glob(".dependencies/.new-*"), *jobs.glob(".canary/*/.*"), *jobs.glob(".processes/.*")]
    for name in ("jobs", "logs", "submissions"):
        found += [*(site.root / name).glob(f"{PROOF}*"), *(site.root / name).glob(f"{MARK}-new-*")]
    return [str(path.relative_to(site.root)) for path in found]


def processes(site: Site) -> list[Path]:
    """The files that say which processes live."""
    return list((site.root / "jobs" / ".processes").iterdir())


def mlflow_runs(site: Site) -> list[tuple[str, str]]:
    """The id and the status of each run of the site's benchmark, open ones, too; sorted."""
    with closing(MlflowTracking(site.environment["MLFLOW_TRACKING_URI"])) as tracking:
        found = [run["info"] for run in tracking._search(tracking._experiment(site.benchmark), "")]
    return sorted((info["run_id"], info["status"]) for info in found)


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("line ")]


def ended(site: Site, job_id: str) -> Job:
    until(lambda: site.ledger.get(job_id).is_final, "the job has ended")
    return site.ledger.get(job_id)
