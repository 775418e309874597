"""Starts a real gateway on a real socket: in a thread, or in a process as the image does."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import uvicorn

from core.adapters.files.folder_look import MARK
from core.settings import Settings
from gateway.app import create_app
from gateway.middleware.bounded_head import BoundedHeadProtocol

REPOSITORY = Path(__file__).parent.parent
START_SECONDS = 120.0
BENCHMARK = """
name: synthetic
title: Synthetic
description: For tests.
categories: [cloth]
scoring: reported
primary_metric: image_auc
metrics: [{name: image_auc, direction: maximize, minimum: 0, maximum: 1}]
"""


@dataclass(frozen=True, kw_only=True)
class Door:
    """A running gateway: its address, folders and users' tokens."""

    url: str
    root: Path
    token: str = "ann-token-0123456789"
    other_token: str = "bob-token-0123456789"
    admin_token: str = "admin-token-0123456789"

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def client(self, token: str | None = None) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=120.0, trust_env=False)


def environment(root: Path, *, redis_url: str, mlflow_url: str, **more: str) -> dict[str, str]:
    """The settings of a gateway whose folders are below `root`, with per-user limits too high to matter.

    Also makes the folders and their marks: many tests begin with empty folders on a ledger that has jobs already.
    """
    for name in ("submissions", "logs", "benchmarks/synthetic"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("submissions", "logs"):
        (root / name / MARK).touch()
    (root / "benchmarks/synthetic/benchmark.yaml").write_text(BENCHMARK)
    users = {"ann": Door.token, "bob": Door.other_token, "admin": Door.admin_token}
    return {
        "REDIS_URL": redis_url,
        "MLFLOW_TRACKING_URI": mlflow_url,
        "UPLOAD_ROOT": str(root / "submissions"),
        "LOG_ROOT": str(root / "logs"),
        "JOB_ROOT": str(root / "jobs"),
        "BENCHMARK_ROOT": str(root / "benchmarks"),
        "API_TOKENS": ",".join(f"{user}:{token}" for user, token in users.items()),
        "ADMIN_USERS": "admin",
        "MAX_SUBMISSIONS_PER_HOUR": "1000000",
        "MAX_UPLOADS_PER_HOUR": "1000000",
        "MAX_REFUSED_UPLOADS_PER_HOUR": "1000000",
        "MAX_CONCURRENT_RUNNING": "1000000",
        "MIN_FREE_BYTES": "0",
        **more,
    }


@contextmanager
def gateway_thread(root: Path, env: Mapping[str, str]) -> Iterator[Door]:
    """The app in a thread of this process, behind the real server with the real protocol."""
    settings = Settings.model_validate(dict(_typed(env)))
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(settings), http=BoundedHeadProtocol, ws="none", access_log=False, log_config=None
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    door = Door(url=f"http://127.0.0.1:{listener.getsockname()[1]}", root=root)
    try:
        _await_life(door)
        yield door
    finally:
        server.should_exit = True
        thread.join(timeout=START_SECONDS)
        listener.close()


def _typed(env: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    """Settings as pydantic reads them from the environment: names in lower case, JSON objects parsed."""
    source = Settings.model_fields
    for name, value in env.items():
        field = source[name.lower()]
        is_object = value.startswith("{") and field.annotation is not str
        yield name.lower(), json.loads(value) if is_object else value


@contextmanager
def gateway_process(
    root: Path, env: Mapping[str, str], *, build: str = "gateway.app:build"
) -> Iterator[tuple[Door, subprocess.Popen[bytes]]]:
    """The gateway started by the Dockerfile's command on this machine; output goes to `gateway.log` below `root`."""
    port = free_port()
    door = Door(url=f"http://127.0.0.1:{port}", root=root)
    spool = root / "submissions" / ".incoming"
    spool.mkdir(parents=True, exist_ok=True)
    with (root / "gateway.log").open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *image_command(port, build)],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "TMPDIR": str(spool), **env},
            stdout=out,
            stderr=out,
        )
    try:
        _await_life(door)
        yield door, process
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def image_command(port: int, build: str = "gateway.app:build") -> list[str]:
    """The Dockerfile's command, for this port of the loopback interface and the app factory `build`."""
    found = re.search(r"exec (uvicorn gateway\.app:build [^\"]*)", (REPOSITORY / "Dockerfile").read_text())
    assert found, "the Dockerfile starts the gateway in another way than this expects"
    command = found[1].replace("gateway.app:build", build)
    return shlex.split(command.replace("--host 0.0.0.0", "--host 127.0.0.1").replace("--port 8010", f"--port {port}"))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _await_life(door: Door) -> None:
    deadline = time.monotonic() + START_SECONDS
    with door.client() as client:
        while True:
            try:
                client.get("/health/live").raise_for_status()
            except httpx2.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return
