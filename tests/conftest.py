"""Shared fixtures: the real services that scripts/test started, or the reason why one is missing.

A missing service skips a test locally and fails it in CI, where a test that did not run would count as passed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from hypothesis import settings

from core import json_logs
from tests.parallel import Scheduler, arrange, redis_database, turn

REPOSITORY = Path(__file__).parent.parent
COMPOSE_FILES = [str(REPOSITORY / "compose.yml"), str(REPOSITORY / "compose.test.yml")]

settings.register_profile("patient", deadline=None)  # by default an example of more than 200 ms fails
settings.load_profile("patient")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    arrange(config, items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    return Scheduler(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with turn(item):
        return (yield)


def service(variable: str) -> str:
    """The address of a service from the environment that scripts/test sets."""
    value = os.environ.get(variable, "")
    if not value and os.environ.get("CI"):
        pytest.fail(f"{variable} is not set: in CI every service must be there")
    if not value:
        pytest.skip(f"{variable} is not set: scripts/test starts the services and sets it")
    return value


@pytest.fixture(autouse=True)
def _json_logs() -> None:
    """Log JSON, as our processes do: structlog's default prints the locals of every frame, at a second a traceback.

    Before each test, because some tests configure logging themselves and then reset it to structlog's default.
    """
    json_logs.configure()


@pytest.fixture(scope="session")
def docker_compose_file() -> list[str]:
    return COMPOSE_FILES


@pytest.fixture(scope="session")
def docker_compose_project_name() -> str:
    return service("LEADERSBOARD_TEST_PROJECT")


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    """Empty: scripts/test has started the project, and pytest-docker only connects to it."""
    return []


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    """Empty: scripts/test stops the project."""
    return []


@pytest.fixture
def redis_client() -> Iterator[redis.Redis]:
    """An empty database of the real Redis; database 0 belongs to the running stack."""
    client = redis.Redis.from_url(redis_url(), decode_responses=True)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


def redis_url() -> str:
    """The address of this process's own database."""
    return f"{service('LEADERSBOARD_TEST_REDIS_URL')}/{redis_database()}"


def redis_through(port: int) -> str:
    """The same database through a relay on this port of the loopback interface."""
    parts = urlsplit(redis_url())
    secret = f":{parts.password}@" if parts.password else ""
    return parts._replace(netloc=f"{secret}127.0.0.1:{port}").geturl()


@pytest.fixture(scope="session")
def mlflow_url() -> str:
    return service("LEADERSBOARD_TEST_MLFLOW_URL")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """The running compose project: its public addresses and three users' tokens."""

    api_url: str
    ui_url: str
    mlflow_url: str
    """MLflow's pages behind the sign-in, as users reach them."""
    token: str
    other_token: str
    admin_token: str


@pytest.fixture(scope="session")
def stack() -> Stack:
    return Stack(
        api_url=service("LEADERSBOARD_TEST_API_URL"),
        ui_url=service("LEADERSBOARD_TEST_UI_URL"),
        mlflow_url=service("LEADERSBOARD_TEST_MLFLOW_DOOR_URL"),
        token=service("LEADERSBOARD_TEST_TOKEN"),
        other_token=service("LEADERSBOARD_TEST_OTHER_TOKEN"),
        admin_token=service("LEADERSBOARD_TEST_ADMIN_TOKEN"),
    )


@pytest.fixture
def fresh_name() -> str:
    """A name that no earlier test or run has used."""
    return f"t{secrets.token_hex(6)}"
