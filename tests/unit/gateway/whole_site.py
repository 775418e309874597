"""A whole gateway on twins in memory and folders of the test, with three users and a runner that does as it is told."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi.testclient import TestClient

import gateway.app
from core.adapters.files.benchmark_folders import BenchmarkFolders
from core.adapters.files.storage import FilesystemStorage
from core.domain.job import Claim, JobState, Outcome
from core.domain.metrics import RunMetrics
from core.domain.sealed_result import SealedFile
from core.ports.tracking import Result
from core.settings import Settings
from core.wiring import Ports
from tests.twins.accounts import MemoryAccounts
from tests.twins.audit import MemoryAudit
from tests.twins.dead_letters import MemoryDeadLetters
from tests.twins.job_queue import MemoryJobQueue
from tests.twins.job_status import MemoryJobStatus
from tests.twins.login_throttle import MemoryLoginThrottle
from tests.twins.results import MemoryResults
from tests.twins.runners import MemoryRunners
from tests.twins.sessions import MemorySessions
from tests.twins.tracking import MemoryTracking

TOKENS = {user: f"{user}-token-0123456789" for user in ("ann", "bob", "root")}
BENCHMARK = """
name: {name}
title: A benchmark
primary_metric: image_auc
metrics:
  - {{name: image_auc, direction: maximize, minimum: 0, maximum: 1}}
  - {{name: inference_time_ms, direction: minimize, minimum: 0}}
"""


def bearer(user: str = "ann") -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[user]}"}


@dataclass(kw_only=True)
class Site:
    """The app's parts, reachable from behind its door."""

    root: Path
    jobs: MemoryJobStatus = field(default_factory=MemoryJobStatus)
    tracking: MemoryTracking = field(default_factory=MemoryTracking)
    changes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("submissions", "logs"):
            (self.root / name).mkdir()
        for name in ("synthetic", "other"):
            (self.root / "benchmarks" / name).mkdir(parents=True)
            (self.root / "benchmarks" / name / "benchmark.yaml").write_text(BENCHMARK.format(name=name))
        values = {
            "api_tokens": ",".join(f"{user}:{token}" for user, token in TOKENS.items()),
            "admin_users": "root",
            "max_concurrent_running": 100,
            **self.changes,
        }
        self.settings = Settings(**values)
        self.storage = FilesystemStorage(
            upload_root=self.root / "submissions", log_root=self.root / "logs", limits=self.settings.upload,
            min_free_bytes=0,
        )  # fmt: skip
        self.ports = Ports(
            storage=self.storage, job_status=self.jobs, results=MemoryResults(self.jobs), rate_limit=self.jobs,
            job_queue=MemoryJobQueue(), tracking=self.tracking,
            benchmarks=BenchmarkFolders(self.root / "benchmarks"), accounts=MemoryAccounts(),
            sessions=MemorySessions(), login_throttle=MemoryLoginThrottle(), runners=MemoryRunners(),
            dead_letters=MemoryDeadLetters(), audit=MemoryAudit(),
        )  # fmt: skip

    @contextmanager
    def open_ports(self, *_args: object, **_more: object) -> Iterator[Ports]:
        """What the app opens instead of the real parts."""
        yield self.ports

    @contextmanager
    def browser(self, user: str = "ann") -> Iterator[TestClient]:
        """The app within this process; an answer is there when it is whole."""
        with TestClient(gateway.app.create_app(self.settings), headers=bearer(user)) as client:
            yield client

    @contextmanager
    def served(self) -> Iterator[tuple[httpx2.Client, uvicorn.Server]]:
        """The app behind the real server, for answers that come piece by piece."""
        app = gateway.app.create_app(self.settings)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, ws="none", access_log=False, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx2.Client(base_url=url, headers=bearer(), timeout=20, trust_env=False) as client:
            yield client, server
        server.should_exit = True
        thread.join(timeout=10)
        assert not thread.is_alive()

    def submitted(self, client: TestClient, **fields: str) -> str:
        files = {"files": ("main.py", b"print(1)")}
        answer = client.post("/submissions", files=files, data=fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["submission_id"])

    def posted(self, client: TestClient, **config: Any) -> str:
        """A job of a new submission."""
        answer = client.post("/jobs", json={"submission_id": self.submitted(client), "config": config})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def claimed(self) -> Claim:
        claim = self.jobs.claim("small", worker="w", lease_seconds=60, running_limit=1000)
        assert claim is not None
        return claim

    def completed(self, artifacts: Path | None = None, **metrics: float) -> str:
        """Run the next job to its end, with these metrics; its run."""
        claim = self.claimed()
        figures = RunMetrics(params={"method": "PaDiM"}, metrics=metrics or {"image_auc": 0.5}, performance={})
        files = files_of(artifacts)
        result = Result(job=claim.job, metrics=figures, measured={}, artifacts=artifacts, files=files)
        ref = self.tracking.record(result)
        self.jobs.finish(claim, Outcome(state=JobState.COMPLETED, run_id=ref.run_id), result.sealed_as(ref))
        return ref.run_id

    def log_file(self, job_id: str) -> Path:
        return self.storage.log_path(job_id)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that nobody has used."""
    made = Site(root=tmp_path)
    monkeypatch.setattr(gateway.app, "open_ports", lambda *_args, **_more: made.open_ports())
    return made


def files_of(folder: Path | None) -> list[SealedFile]:
    """What a runner seals of these files."""
    found = sorted(path for path in folder.rglob("*") if path.is_file()) if folder else []
    return [
        SealedFile(path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size) for path in found if folder
    ]


def fresh_id() -> str:
    return secrets.token_hex(16)


def now() -> datetime:
    return datetime.now(UTC)
