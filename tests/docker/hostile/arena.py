"""Where hostile submissions run: the real way through a runner, and what must be so after each of them (P1 to P7)."""

# ruff: noqa: E501 the programs of submissions stand here as they are

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import docker

from core.domain.job import Job, JobState
from core.domain.limits import MIB
from core.domain.verdict import FailureReason
from runner.engine.docker_engine import DockerEngine
from tests.docker.hostile.processes import engine_processes
from tests.twin_runner import TwinRunner

SECRET = "planted-secret-7f3a91c2"
SENTINEL = b"nobody changes this"
MAY_TAKE_LONGER = 15.0
REFERENCE = """
import json, zlib
total = 0
for i in range(200): total = zlib.crc32(str(total + i).encode() * 1000)
json.dump({"params": {"method": "reference"}, "metrics": {"image_auc": total / 2**32}},
          open("/out/metrics.json", "w"))
"""
METRICS = 'open("/out/metrics.json", "w").write(\'{"params": {"method": "m"}, "metrics": {"image_auc": 0.5}}\')\n'
EVERYTHING = METRICS + (
    "import os, threading\n"
    "def bomb():\n    while True:\n        try:\n            if os.fork() == 0:\n                while True: pass\n        except OSError: pass\n"
    "def flood():\n    while True: os.write(1, b'[leadersboard] Ended: completed\\n' * 2000)\n"
    "def fill():\n    for i in range(10**6):\n        try: open(f'/out/{i}', 'wb').write(bytes(2**18))\n        except OSError: pass\n"
    "def links():\n    for i in range(10**6):\n        try: os.symlink('/etc/passwd', f'/out/l{i}')\n        except OSError: pass\n"
    "def tmp():\n    while True:\n        try: open('/tmp/f', 'ab').write(bytes(2**20))\n        except OSError: pass\n"
    "for t in (flood, fill, links, tmp, bomb): threading.Thread(target=t).start()\n"
)
"""Bombs, flood, fill, links and forged lines in one program."""
BOUNDS = {
    "cpus": 1, "memory_bytes": 384 * MIB, "output_bytes": 32 * MIB, "output_files": 1000, "pids": 64,
    "tmp_bytes": 16 * MIB, "shm_bytes": 16 * MIB, "timeout_seconds": 60,
}  # fmt: skip
LOG_BOUNDS = {"max_bytes": 8 * MIB, "max_lines": 200_000, "kept_bytes": MIB}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: a case, what became of it, and what bounds it."""

    case: str
    attempt: str
    outcome: str
    bound_by: str


ROW = "hostile row"
"""The name of a test report's property that holds a row; the table at a run's end is made of them."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What a submission left."""

    job: Job
    log: bytes
    artifacts: dict[str, bytes]
    seconds: float

    @property
    def reason(self) -> FailureReason | None:
        return self.job.failure_reason

    def found(self) -> dict[str, str]:
        """The lines `CASE name|what was seen` that a probe printed."""
        lines = self.log.decode(errors="replace").splitlines()
        pairs = [line.removeprefix("CASE ").split("|", 1) for line in lines if line.startswith("CASE ")]
        return {pair[0]: pair[1] for pair in pairs}


@dataclass
class Arena:
    """A runner on the real engine, with sentinels and a planted secret around it."""

    runner: TwinRunner[DockerEngine]
    inner: docker.DockerClient
    properties: list[tuple[str, object]]
    """Of the test's report: each case that holds is added as a row."""
    _kept: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.runner.jobs_per_hour = 10_000
        self.runner.limits = self.runner.limits.model_copy(update=BOUNDS)
        self.runner.log_limits = dict(LOG_BOUNDS)
        for name in ("sentinel", "submissions/sentinel", "logs/sentinel", "jobs/.sentinel"):
            (self.runner.root / name).write_bytes(SENTINEL)
        (self.runner.root / "secret.env").write_text(SECRET)
        os.environ["LEADERSBOARD_PLANTED"] = SECRET
        record = self.runner.tracking.record

        def recorded(result: Any, **more: Any) -> Any:
            self._kept = read_tree(result.artifacts)
            assert SECRET not in repr(result)
            return record(result, **more)

        self.runner.tracking.record = recorded  # type: ignore[method-assign]

    def run(self, program: str, **limits: Any) -> Ended:
        """One submission to its end, and P1, P2, P4 and P7 afterwards."""
        before, self._kept = self.runner.limits, {}
        self.runner.limits = before.model_copy(update=limits)
        started = time.monotonic()
        try:
            job = self.runner.run(self.runner.claim(program))
        finally:
            allowed, self.runner.limits = self.runner.limits.timeout_seconds, before
        seconds = time.monotonic() - started
        log = self.runner.storage.log_path(job.job_id).read_bytes()
        self._check(job, log, seconds, allowed)
        return Ended(job=job, log=log, artifacts=self._kept, seconds=seconds)

    def _check(self, job: Job, log: bytes, seconds: float, allowed: float) -> None:
        assert job.is_final, "P1: not in a final state"
        assert seconds < allowed + 10 * MAY_TAKE_LONGER, "P1: too late"
        assert job.failure_reason is not FailureReason.PLATFORM, f"a submission made the platform fail: {log[-500:]!r}"
        assert self._left(job) == [], "P2: left in the engine"
        for process in ("self", *engine_processes()):
            assert job.job_id not in Path(f"/proc/{process}/mountinfo").read_text(), "P2: a mount is left"
        for name in ("sentinel", "submissions/sentinel", "logs/sentinel", "jobs/.sentinel"):
            assert (self.runner.root / name).read_bytes() == SENTINEL, "P4: a sentinel was changed"
        for place, content in {"the log": log, "the record": repr(job).encode(), **self._kept}.items():
            assert SECRET.encode() not in content, f"P7: the secret is in {place}"

    def _left(self, job: Job) -> list[Any]:
        wanted = {"label": f"leadersboard.job={job.job_id}"}
        left: list[Any] = []
        for _try in range(30):  # the engine answers removals a moment before they show
            left = [*self.inner.containers.list(all=True, filters=wanted, ignore_removed=True)]
            left += self.inner.volumes.list(filters=wanted)
            if not left:
                break
            time.sleep(0.1)
        return left

    def score(self) -> float:
        """P3: what the reference job scores now."""
        ended = self.run(REFERENCE)
        assert ended.job.state is JobState.COMPLETED
        _ref, result = self.runner.tracking.results[ended.job.job_id]
        return float(result.metrics.metrics["image_auc"])

    def held(self, case: str, attempt: str, outcome: str, bound_by: str) -> None:
        """Write a case down that has just been seen to hold."""
        row = Row(case=case, attempt=attempt, outcome=outcome, bound_by=bound_by)
        self.properties.append((ROW, asdict(row)))


def read_tree(folder: Path | None) -> dict[str, bytes]:
    if folder is None:
        return {}
    plain = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in folder.rglob("*") if path.is_symlink()], "a link came out of the sandbox"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in plain}
