"""A runner on in-memory twins, with a chosen engine: the plain-process twin or the real one."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Generic, TypeVar

from core.adapters.files.benchmark_folders import BenchmarkFolders
from core.adapters.files.storage import FilesystemStorage
from core.adapters.files.trial_files import TrialFiles
from core.adapters.files.weights_folder import WeightsFolder
from core.domain.job import Claim, Job, JobRequest
from core.domain.limits import SMALL, ResourceClass, UploadLimits, UserLimits
from core.domain.submission import Upload, UploadedFile
from core.ports.sandbox import SandboxPort
from runner.data_manifest import FOLDER
from runner.dead_letters import DeadLetterWriter
from runner.gpus import Gpus
from runner.job.context import JobContext
from runner.job.run_job import RunJob
from runner.job.storage_faults import StorageFaults
from runner.launch_settings import LogLimits
from runner.lease.claim_locks import ClaimLocks
from runner.lease.living_processes import LivingProcesses
from runner.recovery.janitor import Janitor
from runner.recovery.periodic import attempted
from runner.recovery.site_names import SiteNames
from runner.recovery.sweeper import TEMPORARY_SECONDS, TIDY_SECONDS, Sweeper
from runner.requirements.cache import DependencyCache
from runner.requirements.dependencies import NoDependencies, Preparing
from runner.scoring.scoring import CanScore, NoScoring
from runner.wiring import sweeper_of
from tests.memory_ports import memory_ports
from tests.twins.dead_letters import MemoryDeadLetters
from tests.twins.job_queue import MemoryJobQueue
from tests.twins.job_status import MemoryJobStatus
from tests.twins.results import MemoryResults
from tests.twins.runners import MemoryRunners
from tests.twins.tracking import MemoryTracking
from tests.waiting import PATIENCE_SECONDS

GOOD = """
import json, pathlib, sys
print("hello from the run")
out = pathlib.Path(sys.argv[4])
(out / "curves").mkdir()
(out / "curves" / "roc.png").write_bytes(b"png")
out.joinpath("metrics.json").write_text(json.dumps({"params": {"method": "m"}, "metrics": {"image_auc": 0.5}}))
"""
BENCHMARK = "name: synthetic\ntitle: t\nprimary_metric: image_auc\ncategories: [weave]\nmetrics: [{name: image_auc}]\n"


Engine = TypeVar("Engine", bound=SandboxPort)


class TwinRunner(Generic[Engine]):
    """Everything that one runner needs, below one folder."""

    def __init__(self, root: Path, engine: Engine, *, image: str = "sandbox", site: str = "test") -> None:
        for name in ("submissions", "logs", "jobs", "benchmarks/synthetic/public"):
            (root / name).mkdir(parents=True)
        (root / "benchmarks" / "synthetic" / "benchmark.yaml").write_text(BENCHMARK)
        self.root = root
        self.ledger = MemoryJobStatus(_name=site)
        self.results = MemoryResults(self.ledger)
        self.queue = MemoryJobQueue()
        self.tracking = MemoryTracking()
        self.runners = MemoryRunners()
        self.dead_letters = MemoryDeadLetters()
        self.engine = engine
        self.image = image
        self.site = site
        self.claim_locks = ClaimLocks(root / "jobs", "here")
        self.janitor = Janitor(
            engine=engine, processes=LivingProcesses(job_root=root / "jobs", host="here"),
            cache=DependencyCache(job_root=root / "jobs", kept_bytes=0),
        )  # fmt: skip
        self.site_names = SiteNames(job_root=root / "jobs")
        self.stopping = threading.Event()
        self.limits = SMALL
        self.resource_classes: dict[str, ResourceClass] | None = None
        self.dependencies: Preparing = NoDependencies()
        self.scoring: CanScore = NoScoring()
        self.storage_faults = StorageFaults()
        self.lease_seconds = 30.0
        self.jobs_per_hour = 50
        self.trial_seconds = 60
        self.log_limits = {"max_bytes": 10_000, "max_lines": 1_000, "kept_bytes": 5_000}
        self.storage = FilesystemStorage(
            upload_root=root / "submissions", log_root=root / "logs", limits=UploadLimits(), min_free_bytes=0
        )

    def claim(self, program: str, *, requirements: str = "", trial: bool = False) -> Claim:
        files = [UploadedFile(name="main.py", content=io.BytesIO(program.encode()))]
        if requirements:
            files.append(UploadedFile(name="requirements.txt", content=io.BytesIO(requirements.encode())))
        upload = Upload(user_id="ann", files=files)
        submission = self.storage.create_submission(upload, {})
        request = JobRequest(
            submission_id=submission.submission_id, user_id="ann", resource_class="small", benchmark="synthetic",
            overrides={"seed": 7}, trial=trial,
        )  # fmt: skip
        self.ledger.admit(request, UserLimits(jobs_per_hour=self.jobs_per_hour))
        return self.claim_again()

    def claim_posted(self, job: Job) -> Claim:
        """Post the same request to this ledger and claim its job."""
        request = JobRequest(
            submission_id=job.submission_id, user_id=job.user_id, resource_class=job.resource_class,
            benchmark=job.benchmark, overrides=job.overrides,
        )  # fmt: skip
        self.ledger.admit(request, UserLimits(jobs_per_hour=self.jobs_per_hour))
        return self.claim_again()

    def claim_again(self) -> Claim:
        claim = self.ledger.claim("small", worker="w", lease_seconds=self.lease_seconds, running_limit=1, host="here")
        assert claim is not None
        return claim

    def left_running(self, program: str, *, trial: bool = False) -> Claim:
        """A run whose runner was stopped after the run printed `begun`; claimed again, but not yet taken over."""
        claim = self.claim(program, trial=trial)
        stopper = when(lambda: "begun" in self.storage.read_log(claim.job_id).text, self.stopping.set)
        self.run(claim)
        stopper.join()
        self.stopping.clear()
        return self.claim_again()

    def sweep(self) -> None:
        self.ledger.sweep(max_attempts=3, host="here")

    def sweeper(self, *, in_hand: Collection[str] = ()) -> Sweeper:
        return sweeper_of(
            self.context(), log_root=self.root / "logs", host_patience=60.0, in_hand=in_hand,
            letters=DeadLetterWriter(dead_letters=self.dead_letters),
        )  # fmt: skip

    def context(self) -> JobContext:
        ports = memory_ports(
            storage=self.storage, job_status=self.ledger, results=self.results, job_queue=self.queue,
            tracking=self.tracking, benchmarks=BenchmarkFolders(self.root / "benchmarks"), runners=self.runners,
            weights=WeightsFolder(self.root / "weights"),
            dead_letters=self.dead_letters, trial_files=TrialFiles(self.root / "logs"),
        )  # fmt: skip
        return JobContext(
            ports=ports,
            engine=self.engine,
            gpus=Gpus(self.engine, lock_file=self.root / "gpus.lock"),
            resource_classes={"small": self.limits} if self.resource_classes is None else self.resource_classes,
            image=self.image,
            site=self.site,
            host="here",
            claim_locks=self.claim_locks,
            job_root=self.root / "jobs",
            lease_seconds=self.lease_seconds,
            log_limits=LogLimits(**self.log_limits),
            stopping=self.stopping,
            janitor=self.janitor,
            site_names=self.site_names,
            trial_seconds=self.trial_seconds,
            dependencies=self.dependencies,
            scoring=self.scoring,
            storage_faults=self.storage_faults,
        )

    def run(self, claim: Claim) -> Job:
        RunJob(context=self.context())(claim)
        return self.ledger.get(claim.job_id)

    def log_of(self, job: Job) -> str:
        return self.storage.read_log(job.job_id).text

    def assert_nothing_left(self) -> None:
        assert [path.name for path in (self.root / "jobs").iterdir() if path.name != FOLDER] == [".held"]
        assert list((self.root / "jobs" / ".held").iterdir()) == []
        assert self.engine.runs() == set()


def jobs_in(engine: SandboxPort) -> set[str]:
    """The jobs of this site of which the engine still has something."""
    return {job_id for job_id, _claim in engine.runs()}


def tidy(sweeper: Sweeper) -> None:
    """Run once the steps that no user waits for."""
    for one in sweeper.rounds(0.0):
        for seconds, step in one.steps:
            if seconds in {TIDY_SECONDS, TEMPORARY_SECONDS}:
                attempted(step)


class Watch(threading.Thread):
    """Calls `action` once `condition` holds, or after PATIENCE_SECONDS, and then `join` fails."""

    def __init__(self, condition: Callable[[], bool], action: Callable[[], object]) -> None:
        super().__init__()
        self._condition, self._action, self._held = condition, action, False

    def run(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (held := self._condition()) and time.monotonic() < deadline:
            time.sleep(0.01)
        self._held = held
        self._action()

    def join(self, timeout: float | None = None) -> None:
        super().join(timeout)
        assert self._held, "what was waited for did not come to be"


def when(condition: Callable[[], bool], action: Callable[[], object]) -> Watch:
    """A started thread that calls `action` once `condition` holds."""
    watch = Watch(condition, action)
    watch.start()
    return watch
