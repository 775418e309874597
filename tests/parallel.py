"""Several workers share one machine: the order of tests, their Redis databases, and which tests run beside each other.

Most tests have parts of their own: a site's name, a Redis database per worker, containers with the site's label. Tests
of the running stack share its accounts and quotas, so one worker takes them all. Tests marked `alone` measure, or take
all that the machine has. A worker takes a file at a time, since a file's tests may share costly fixtures.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

KINDS = ("unit", "contract", "integration", "docker", "acceptance", "browser")
"""The order of a run in one process: cheap tests first."""

LONGEST_FIRST = ("acceptance", "browser", "docker", "integration", "contract", "unit")
"""The order of several workers: long files begin, so that no worker is left with one at the end."""

STACK = ("tests/acceptance/", "tests/browser/")
"""Where the tests of the running stack are."""


class Scheduler(LoadFileScheduling):
    """Gives each worker a file at a time, and to one of them all files of the running stack."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith(STACK) else super()._split_scope(nodeid)


def arrange(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort tests by their cost."""
    kinds = LONGEST_FIRST if _is_worker(config) else KINDS
    items.sort(key=lambda item: next((n for n, kind in enumerate(kinds) if _is(item, kind)), len(kinds)))


def redis_database() -> str:
    """The Redis database of this worker, 1 to 15; 0 belongs to the running stack.

    LEADERSBOARD_TEST_REDIS_DB names another one, for runs beside each other in one process each.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        return str(1 + int(worker.removeprefix("gw")) % 15)
    return os.environ.get("LEADERSBOARD_TEST_REDIS_DB", "7")


@contextmanager
def turn(item: pytest.Item) -> Iterator[None]:
    """Wait until this test may run with its fixtures, and hold up those that may not run beside it."""
    if not _is_worker(item.config):
        yield
        return
    shared = Path(item.config.option.basetemp).parent
    with ExitStack() as locks:
        with _locked(shared / "next.lock", fcntl.LOCK_EX):  # a test that waits to be alone lets no other pass
            alone = _is(item, "alone")
            locks.enter_context(_locked(shared / "running.lock", fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield


def _is(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, kind)
        yield
