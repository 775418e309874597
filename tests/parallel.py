"""Several workers share one machine: which tests belong to one worker, and which run while no other does.

Most tests have parts of their own: a site's name, a Redis database per worker, containers with the site's label. Tests
of the running stack share it, so one worker runs them all. Tests marked `alone` measure, or take all there is.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

KINDS = ("unit", "contract", "integration", "docker", "acceptance", "browser")
"""The order of a run in one process: cheap tests first."""

LONGEST_FIRST = ("acceptance", "browser", "docker", "integration", "contract", "unit")
"""The order of several workers: what mostly waits begins, so that no worker is left with it at the end."""


def arrange(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort tests by their cost, and give those that share something to one worker."""
    workers = hasattr(config, "workerinput") or config.getoption("numprocesses", None)
    kinds = LONGEST_FIRST if workers else KINDS
    items.sort(key=lambda item: (bool(workers) and _is_alone(item), _rank(item, kinds)))
    for item in items:
        group = _group(item)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


def _rank(item: pytest.Item, kinds: tuple[str, ...]) -> int:
    return next((n for n, kind in enumerate(kinds) if item.get_closest_marker(kind)), len(kinds))


def _group(item: pytest.Item) -> str | None:
    if item.get_closest_marker("acceptance") or item.get_closest_marker("browser"):
        return "stack"
    if _is_alone(item):
        return "alone"
    return str(item.path) if item.get_closest_marker("one_worker") else None


def redis_database() -> str:
    """The Redis database of this worker, 1 to 15; 0 belongs to the running stack.

    LEADERSBOARD_TEST_REDIS_DB names another one, for runs beside each other in one process each.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        return str(1 + int(worker.removeprefix("gw")) % 15)
    return os.environ.get("LEADERSBOARD_TEST_REDIS_DB", "7")


@pytest.fixture(autouse=True)
def turn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Wait for this test's turn: beside others that are not `alone`, or with none beside it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "next.lock").open("a") as queue, (shared / "running.lock").open("a") as running:
        with _locked(queue, fcntl.LOCK_EX):  # a test that waits to be alone lets no other pass
            fcntl.flock(running, fcntl.LOCK_EX if _is_alone(request.node) else fcntl.LOCK_SH)
        yield


@contextmanager
def _locked(file: IO[str], kind: int) -> Iterator[None]:
    fcntl.flock(file, kind)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
