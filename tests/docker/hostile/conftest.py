"""An arena for each test, the health of everything around it, and the table at the end of the run."""

from __future__ import annotations

import os
import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import httpx2
import pytest
import redis

from core.domain.limits import MIB
from runner.engine.docker_engine import DockerEngine
from runner.launch_settings import GRACE_SECONDS
from tests.conftest import redis_url
from tests.docker.hostile.arena import ROW, Arena, Row
from tests.docker.hostile.processes import engine_rss
from tests.docker.hostile.report import table, write_into
from tests.running_gateway import environment, gateway_thread
from tests.twin_runner import TwinRunner

NOISE = 512 * MIB
"""Others write on this disk, too: what is looked for here are the gigabytes of a run that filled something."""


@pytest.fixture
def arena(
    runner: TwinRunner[DockerEngine],
    inner: docker.DockerClient,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Arena]:
    """P3 and P5 around each group: the reference scores the same, disk and the engine's memory are back."""
    for reason in GRACE_SECONDS:
        monkeypatch.setitem(GRACE_SECONDS, reason, 1.0)
    made = Arena(runner, inner, request.node.user_properties)
    score, free, memory = made.score(), shutil.disk_usage(runner.root).free, engine_rss()
    yield made
    assert made.score() == score, "P3: the reference scores differently"
    assert _settles(lambda: shutil.disk_usage(runner.root).free > free - NOISE), "P5: disk is not back"
    assert _settles(lambda: engine_rss() < memory + 100 * MIB), "P5: the engine's memory is not back"
    os.environ.pop("LEADERSBOARD_PLANTED", None)


def _settles(condition: object) -> bool:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if callable(condition) and condition():
            return True
        time.sleep(0.5)
    return False


@pytest.fixture
def healthy(tmp_path: Path, redis_client: redis.Redis, mlflow_url: str) -> Iterator[list[float]]:
    """P6: a gateway and Redis answer while the group runs."""
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url=mlflow_url)
    seconds: list[float] = []
    over = threading.Event()
    with gateway_thread(tmp_path, env) as door:

        def ask() -> None:
            with httpx2.Client(trust_env=False, timeout=30) as http:
                while not over.wait(0.1):
                    started = time.monotonic()
                    http.get(f"{door.url}/health/live").raise_for_status()
                    seconds.append(time.monotonic() - started)
                    redis_client.ping()

        asker = threading.Thread(target=ask)
        asker.start()
        yield seconds
        over.set()
        asker.join()
    assert len(seconds) > 5, "P6: the gateway stopped answering"
    assert statistics.quantiles(seconds, n=20)[-1] < 0.3, "P6: the gateway became slow"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    calls = (report for report in terminalreporter.stats.get("passed", []) if report.when == "call")
    rows = [Row(**row) for report in calls for name, row in report.user_properties if name == ROW]
    if not rows:
        return
    terminalreporter.write_line("\n" + table(rows))
    target = os.environ.get("LEADERSBOARD_HOSTILE_TABLE")
    if target and not terminalreporter.stats.get("failed") and not terminalreporter.stats.get("error"):
        write_into(Path(target), rows)
