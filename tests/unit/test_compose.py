"""compose.yml holds what reliability and walls rest on: what Redis keeps, who reaches whom, what is published."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.main import STOP_GRACE_SECONDS
from tests.conftest import COMPOSE_FILES, REPOSITORY

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path(COMPOSE_FILES[0]).read_text())
    return found


@pytest.fixture(scope="module")
def services(project: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = project["services"]
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


def on(services: dict[str, Any], network: str) -> set[str]:
    return {name for name, service in services.items() if network in service["networks"]}


def test_only_gateway_and_runner_reach_redis_and_mlflow(project: dict[str, Any], services: dict[str, Any]) -> None:
    """DOR-7: two networks without a way out; MLflow is not on Redis's, and the UI is on neither."""
    assert on(services, "ledger") == {"redis", "gateway", "runner"}
    assert on(services, "tracking") == {"mlflow", "gateway", "runner"}
    assert on(services, "store") == {"mlflow"}
    assert on(services, "frontend") == {"gateway", "ui"}
    assert {name for name, network in project["networks"].items() if network.get("internal")} == {"ledger", "tracking"}


def test_gateway_and_ui_alone_are_published_and_on_loopback(services: dict[str, Any]) -> None:
    """DOR-4, AUT-5: MLflow's port is the UI's; nothing is open to other machines unless a setting says so."""
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"gateway", "ui"}
    ports = [port for listed in published.values() for port in listed]
    assert ports
    loopback = re.compile(r"\$\{[A-Z]+_BIND:-127\.0\.0\.1\}:\$\{[A-Z]+_PORT:-\d+\}:\d+")
    assert all(loopback.fullmatch(port) for port in ports), ports
    assert "${MLFLOW_BIND:-127.0.0.1}:${MLFLOW_PORT:-5010}:5010" in published["ui"]


def test_the_password_of_redis_is_no_argument(services: dict[str, Any]) -> None:
    """DOR-7: every process of the host reads arguments; the two that need it get it from the environment."""
    assert "PASSWORD" not in services["redis"]["command"]
    assert "requirepass" not in services["redis"]["command"]
    told = {name for name, service in services.items() if "REDIS_PASSWORD" in service.get("environment", {})}
    assert told == {"redis", "gateway", "runner"}


def test_proxies_can_be_named(services: dict[str, Any]) -> None:
    """AUT-2: behind a TLS proxy, UI and gateway are told whose word on addresses and https counts."""
    assert services["ui"]["environment"]["FORWARDED_ALLOW_IPS"] == "${FORWARDED_ALLOW_IPS:-127.0.0.1}"
    assert services["gateway"]["environment"]["TRUSTED_PROXIES"] == "${TRUSTED_PROXIES:-ui}"


def test_what_an_image_copies_reaches_the_builder() -> None:
    """`.dockerignore` names what the images copy, and nothing else of the checkout."""
    copied = re.findall(r"^COPY (?!--)(\S+) \S+$", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    sent = [
        line.removeprefix("!") for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    assert "core" in copied
    assert set(copied) <= set(sent)
    assert set(sent) - set(copied) == {"locks"}, "what no image copies is not sent"
