"""A whole gateway on twins in memory and on a folder of the test, with the clients of two users and an admin."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from starlette.testclient import TestClient

from core.adapters.files.benchmark_folders import BenchmarkFolders
from core.adapters.files.trial_files import TrialFiles
from core.adapters.files_below import files_below
from core.domain.artifact_order import chosen
from core.domain.job import Claim, JobState, Outcome
from core.domain.metrics import RunMetrics
from core.domain.sealed_result import MAX_SEALED_FILES, SealedFile
from core.ports.tracking import Result
from core.settings import Settings
from core.wiring import GatewayServices
from gateway.app import create_app
from gateway.state import AppState, state_of
from tests import direct_calls
from tests.builders import MAIN, SMALL_LIMITS, storage, write_benchmark
from tests.direct_calls import Reply
from tests.memory_ports import memory_ports
from tests.twins.tracking_reads import MemoryTrackingReads

TOKENS = {name: f"token-of-{name}-0123456789" for name in ("ada", "bob", "root")}


def bearer(user: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[user]}"}


def site_settings(**changes: Any) -> Settings:
    """Two users and an admin; small limits of uploads; one running job of a user."""
    values = {
        "api_tokens": ",".join(f"{user}:{token}" for user, token in TOKENS.items()),
        "admin_users": "root",
        "cors_origins": "https://ui.example",
        "upload": SMALL_LIMITS,
        "min_free_bytes": 0,
        "max_submissions_per_hour": 20,
        "mlflow_url": "http://mlflow.example",
    }
    return Settings(**(values | changes))


class Site:
    """The gateway and what it stands on. It starts with the first client; `close` ends it."""

    def __init__(
        self, root: Path, *, retention: Any = None, ports: Mapping[str, Any] | None = None, **changes: Any
    ) -> None:
        self.root = root
        self.settings = site_settings(**changes)
        write_benchmark(root / "benchmarks")
        own = {
            "storage": storage(root, limits=self.settings.upload, min_free_bytes=self.settings.min_free_bytes),
            "trial_files": TrialFiles(root / "logs"),
            "benchmarks": BenchmarkFolders(root / "benchmarks"),
        }
        self.ports = memory_ports(**(own | dict(ports or {})))
        self.reads = MemoryTrackingReads(self.ports.tracking)  # type: ignore[arg-type]
        self.retention = retention
        self.app = create_app(self.settings, services=self._services)
        self._clients: dict[str | None, TestClient] = {}
        self._running = ExitStack()

    @contextmanager
    def _services(self, _settings: Settings) -> Iterator[GatewayServices]:
        yield GatewayServices(ports=self.ports, tracking_reads=self.reads, retention=self.retention)

    def close(self) -> None:
        self._running.close()
        for client in self._clients.values():
            client.close()

    @property
    def state(self) -> AppState:
        self.as_(None)
        return state_of(self.app)

    def as_(self, user: str | None) -> TestClient:
        """A client of that user, or of nobody; a crash inside is an answer, not an exception."""
        if None not in self._clients:
            first = TestClient(self.app, raise_server_exceptions=False)
            self._clients[None] = self._running.enter_context(first)
        if user not in self._clients:
            client = TestClient(self.app, raise_server_exceptions=False, headers=bearer(str(user)))
            client.portal = self._clients[None].portal  # the event loop in which the app was started
            self._clients[user] = client
        return self._clients[user]

    @contextmanager
    def served(self) -> Iterator[httpx2.Client]:
        """The app behind a real server, for answers that come piece by piece; Ada's client."""
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(self.app, ws="none", access_log=False, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx2.Client(base_url=url, headers=bearer("ada"), timeout=120.0, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(timeout=120)
        assert not thread.is_alive()

    def upload(self, user: str = "ada") -> str:
        """A submission of that user; answers its id."""
        return uploaded(self.as_(user))

    def post_job(self, user: str = "ada", submission_id: str | None = None, **config: Any) -> str:
        """A job of that user, of a new submission if none is given; answers its id."""
        return posted(self.as_(user), submission_id, **config)

    def claim(self) -> Claim:
        """The next job of class small, as a runner gets it."""
        found = self.ports.job_status.claim("small", worker="w", lease_seconds=60, running_limit=1000)
        assert found is not None
        return found

    def complete(
        self,
        artifacts: Path | None = None,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, str] | None = None,
        measured: Mapping[str, float] | None = None,
        **told: Any,
    ) -> str:
        """Run the next job to its end, with this report; `told` goes into its outcome. Answers its run's id."""
        claim = self.claim()
        params = params or {"method": "padim"}
        reported = RunMetrics(params=params, metrics=metrics or {"image_auc": 0.5}, performance={})
        files = files_of(artifacts) if artifacts else []
        count = len(files_below(artifacts)) if artifacts else 0
        result = Result(
            job=claim.job, metrics=reported, measured=measured or {}, artifacts=artifacts, files=files, file_count=count
        )
        ref = self.ports.tracking.record(result)
        outcome = Outcome(state=JobState.COMPLETED, run_id=ref.run_id, **told)
        self.ports.job_status.finish(claim, outcome, result.sealed_as(ref))
        return ref.run_id

    def run(self, user: str = "ada", metrics: Mapping[str, float] | None = None, **config: Any) -> str:
        """A job of that user that has ended well; answers its id."""
        job_id = self.post_job(user, **config)
        self.complete(metrics=metrics)
        return job_id

    def log_file(self, job_id: str) -> Path:
        return self.ports.storage.log_path(job_id)

    def stored(self) -> list[str]:
        """Whatever the submissions folder holds besides hidden folders."""
        folder = self.root / "submissions"
        return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.name.startswith("."))

    def send(
        self,
        path: str,
        chunks: Iterable[bytes],
        *,
        headers: Mapping[str, str],
        user: str | None = "ada",
        breaks_off: bool = False,
    ) -> Reply:
        """POST a body in chunks straight to the app; `breaks_off` ends it as a lost connection does."""
        declared = {} if "Content-Length" in headers else {"Transfer-Encoding": "chunked"}  # else it has no body: HTTP
        known = bearer(user) if user else {}
        portal = self.as_(None).portal
        assert portal is not None
        return portal.call(
            direct_calls.post, self.app, path, known | declared | dict(headers), iter(chunks), breaks_off
        )


def uploaded(client: httpx2.Client) -> str:
    """The id of a new submission."""
    answer = client.post("/submissions", files=[("files", ("main.py", MAIN))])
    assert answer.status_code == 201, answer.text
    return str(answer.json()["submission_id"])


def posted(client: httpx2.Client, submission_id: str | None = None, **config: Any) -> str:
    """The id of a new job."""
    body = {"submission_id": submission_id or uploaded(client), "config": config}
    answer = client.post("/jobs", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def files_of(folder: Path) -> list[SealedFile]:
    """What a runner seals of these files."""
    found = {path.relative_to(folder).as_posix(): path for path in files_below(folder)}
    return [SealedFile(path=name, size_bytes=found[name].stat().st_size) for name in chosen(found, MAX_SEALED_FILES)]


def fresh_id() -> str:
    return secrets.token_hex(16)
