"""Redis or MLflow away, or there and silent: readiness says which; a Redis that was restarted is found again."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import redis_through, redis_url
from tests.integration.freezing_proxy import freezing_proxy
from tests.running_gateway import Door, environment, free_port, gateway_thread

pytestmark = pytest.mark.integration

SECONDS = 20.0
JOB = "0" * 32


@pytest.fixture(params=["away", "silent"])
def dead_port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Where nothing listens, or where somebody takes connections and never answers."""
    if request.param == "away":
        yield free_port()
        return
    with closing(socket.create_server(("127.0.0.1", 0), backlog=200)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def without_redis(tmp_path: Path, dead_port: int, mlflow_url: str) -> Iterator[Door]:
    env = environment(tmp_path, redis_url=f"redis://127.0.0.1:{dead_port}/0", mlflow_url=mlflow_url)
    with gateway_thread(tmp_path, env) as door:
        yield door


@pytest.fixture
def without_mlflow(tmp_path: Path, dead_port: int) -> Iterator[Door]:
    env = environment(tmp_path, redis_url=redis_url(), mlflow_url=f"http://127.0.0.1:{dead_port}")
    with gateway_thread(tmp_path, env) as door:
        yield door


def test_a_redis_that_was_restarted_is_found_again_unnoticed(tmp_path: Path, mlflow_url: str) -> None:
    """Connections that Redis closed while they lay in the pool cost nobody a 503."""
    real = urlsplit(redis_url())
    with freezing_proxy((real.hostname or "", real.port or 6379)) as proxy:
        env = environment(tmp_path, redis_url=redis_through(proxy.port), mlflow_url=mlflow_url)
        with gateway_thread(tmp_path, env) as door, door.client() as client:
            for _ in range(3):
                assert client.get("/jobs").status_code == 200
                proxy.cut()
            assert client.get(f"/jobs/{JOB}/status").status_code == 404


def test_readiness_names_redis(without_redis: Door) -> None:
    assert readiness(without_redis) == {"redis": "unavailable", "mlflow": "ok", "storage": "ok"}


def test_readiness_names_mlflow(without_mlflow: Door) -> None:
    assert readiness(without_mlflow) == {"redis": "ok", "mlflow": "unavailable", "storage": "ok"}


def readiness(door: Door) -> dict[str, str]:
    with door.client() as client:
        started = time.perf_counter()
        answer = client.get("/health/ready")
        assert time.perf_counter() - started < SECONDS
    assert answer.status_code == 503
    found: dict[str, str] = answer.json()["dependencies"]
    return found


def test_with_both_silent_readiness_is_still_in_time(tmp_path: Path) -> None:
    """They are asked at once: 1.5 s and 1.5 s are not 3."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        env = environment(tmp_path, redis_url=f"redis://127.0.0.1:{port}/0", mlflow_url=f"http://127.0.0.1:{port}")
        with gateway_thread(tmp_path, env) as door:
            assert readiness(door) == {"redis": "unavailable", "mlflow": "unavailable", "storage": "ok"}
