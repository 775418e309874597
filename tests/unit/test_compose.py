"""compose.yml holds what reliability rests on: Redis keeps what it answered, and a stopping runner has its time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.main import STOP_GRACE_SECONDS
from tests.conftest import COMPOSE_FILES

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path(COMPOSE_FILES[0]).read_text())["services"]
    return found


@pytest.mark.parametrize(
    ("option", "value"), [("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction")]
)
def test_redis_loses_nothing_that_it_answered(services: dict[str, Any], option: str, value: str) -> None:
    """REL-1: on disk before it is answered, and nothing evicted; said once, so that no later option undoes it."""
    command = services["redis"]["command"].split()
    assert command.count(f"--{option}") == 1
    assert command[command.index(f"--{option}") + 1] == value


def test_a_stopping_runner_has_its_time(services: dict[str, Any]) -> None:
    """RUN-3: the jobs' grace ends before Dramatiq cuts its workers off, and that before the engine kills all."""
    runner = services["runner"]
    killed = re.fullmatch(r"(\d+)s", runner["stop_grace_period"])
    assert killed
    assert float(killed[1]) > float(runner["environment"]["WORKER_SHUTDOWN_SECONDS"]) > STOP_GRACE_SECONDS
