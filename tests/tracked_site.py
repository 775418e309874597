"""Starts a real gateway and a real UI with two ports, on the real Redis and MLflow, with recorded jobs."""

from __future__ import annotations

import os
import secrets
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.connection import connect
from core.adapters.redis.job_status import RedisJobStatus
from core.domain.job import JobRequest, JobState, Outcome
from core.domain.limits import UserLimits
from core.domain.metrics import RunMetrics
from core.ports.tracking import Result, RunRef
from tests.running_gateway import BENCHMARK, REPOSITORY, START_SECONDS, Door, environment, free_port, gateway_process

FILES = {
    "notes.txt": b"hello",
    "curves/roc.csv": b"a,b\n1,2\n",
    "page.html": b"<h1>hi</h1><script>parent.document.title='taken';fetch('/version')</script>",
    "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "roc (1), \xe9.json": b'{"a": 1}',
}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A completed job and its run."""

    job_id: str
    ref: RunRef


@dataclass(frozen=True, kw_only=True)
class TrackedSite:
    """The addresses of gateway, UI and MLflow's pages, and the jobs of ann and bob."""

    gateway: Door
    ui_url: str
    pages_url: str
    benchmark: str
    jobs: Mapping[str, Recorded] = field(default_factory=dict)

    @contextmanager
    def browser(self, user: str | None = None, url: str | None = None) -> Iterator[httpx2.Client]:
        """A client of MLflow's pages, signed in as `user` if given."""
        with httpx2.Client(base_url=url or self.pages_url, timeout=120.0, trust_env=False) as client:
            if user:
                token = {"ann": Door.token, "bob": Door.other_token, "admin": Door.admin_token}[user]
                assert client.post("/login", data={"token": token}).status_code == 303
            yield client


@contextmanager
def tracked_site(root: Path, redis_url: str, mlflow_url: str, benchmark: str, **more: str) -> Iterator[TrackedSite]:
    """Start both processes and record one job for each of two users; removes their runs at the end."""
    settings = environment(root, redis_url=redis_url, mlflow_url=mlflow_url, **more)
    folder = root / "benchmarks" / benchmark
    folder.mkdir()
    (folder / "benchmark.yaml").write_text(BENCHMARK.replace("name: synthetic", f"name: {benchmark}"))
    with (
        gateway_process(root, settings) as (gateway, _process),
        ui_process(root, gateway.url) as (ui_url, pages_url),
        closing(MlflowTracking(mlflow_url)) as tracking,
    ):
        jobs = {user: record(tracking, redis_url, root, benchmark, user) for user in ("ann", "bob")}
        yield TrackedSite(gateway=gateway, ui_url=ui_url, pages_url=pages_url, benchmark=benchmark, jobs=jobs)
        for recorded in jobs.values():
            tracking.discard(recorded.ref.run_id, closed=True)


@contextmanager
def ui_process(
    root: Path, api_url: str, *, start: Sequence[str] = ("-m", "ui.serve"), **more: str
) -> Iterator[tuple[str, str]]:
    """The UI as the image runs it, on two free loopback ports. Yields the addresses of its own and MLflow's pages."""
    own, pages = free_port(), free_port()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "API_URL": api_url,
        "UI_SECRET": secrets.token_hex(32),
        "LISTEN_PORT": str(own),
        "MLFLOW_LISTEN_PORT": str(pages),
        "MLFLOW_URL": f"http://localhost:{pages}",
        **more,
    }
    with (root / "ui.log").open("ab") as out:
        process = subprocess.Popen([sys.executable, *start], cwd=REPOSITORY, env=env, stdout=out, stderr=out)
    urls = (f"http://localhost:{own}", f"http://localhost:{pages}")
    try:
        for url in urls:
            await_life(url)
        yield urls
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def await_life(url: str, seconds: float = 4 * START_SECONDS, *, verify: ssl.SSLContext | bool = True) -> None:
    deadline = time.monotonic() + seconds
    with httpx2.Client(trust_env=False, verify=verify) as client:
        while True:
            try:
                client.get(f"{url}/health/live").raise_for_status()
            except httpx2.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return


def record(tracking: MlflowTracking, redis_url: str, root: Path, benchmark: str, user: str) -> Recorded:
    """Record a completed job of that user, with a run and its files, as a runner does."""
    limits = UserLimits(jobs_per_hour=1000, concurrent_running=1000, queue_when_over=False)
    with closing(connect(redis_url)) as client:
        ledger = RedisJobStatus(client)
        request = JobRequest(
            submission_id=secrets.token_hex(16), user_id=user, resource_class=f"class-{benchmark}", benchmark=benchmark
        )
        ledger.admit(request, limits)
        claim = ledger.claim(request.resource_class, worker="test", lease_seconds=60, running_limit=1000)
        assert claim is not None
        job = replace(claim.job, started_at=datetime.now(UTC), finished_at=datetime.now(UTC))
        result = Result(job=job, metrics=_metrics(user), measured={}, artifacts=_files(root, user))
        ref = tracking.record(result, note=lambda run_id: ledger.note_run(claim, run_id))
        ledger.finish(claim, Outcome(state=JobState.COMPLETED, run_id=ref.run_id), result.sealed_as(ref))
    return Recorded(job_id=request.job_id, ref=ref)


def _metrics(user: str) -> RunMetrics:
    score = 0.5 if user == "bob" else 0.75
    return RunMetrics(params={"method": "padim"}, metrics={"image_auc": score, "pixel_auc": 0.5}, performance={})


def _files(root: Path, user: str) -> Path:
    folder = root / f"files-{user}"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
