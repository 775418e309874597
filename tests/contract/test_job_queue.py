"""The doorbell's contract, one text for the twin in memory and for Dramatiq on Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import redis
from dramatiq import Worker
from dramatiq.brokers.redis import RedisBroker

from core.adapters.dramatiq_queue import DramatiqQueue
from core.domain.errors import Unavailable
from core.ports.job_queue import JobQueuePort
from runner.worker.actor import declare
from tests.conftest import redis_url
from tests.twins.job_queue import MemoryJobQueue

pytestmark = pytest.mark.contract

CLASSES = ("small", "medium")


@pytest.fixture(params=["memory", "dramatiq"])
def bell(request: pytest.FixtureRequest) -> Iterator[tuple[JobQueuePort, Callable[[str], None]]]:
    """A doorbell, and how a runner answers one of its rings."""
    if request.param == "memory":
        twin = MemoryJobQueue()
        yield twin, twin.answer
        return
    request.getfixturevalue("redis_client")
    broker = RedisBroker(url=redis_url(), middleware=[])
    yield DramatiqQueue(broker), lambda resource_class: _answer(broker, resource_class)
    broker.close()


def _answer(broker: RedisBroker, resource_class: str) -> None:
    heard: list[str] = []
    declare(broker, heard.append, CLASSES)
    worker = Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    broker.join(f"jobs.{resource_class}", timeout=5000)
    worker.stop()
    assert heard == [resource_class]


@pytest.mark.parametrize("resource_class", CLASSES)
def test_a_ring_is_heard_once_by_its_class(
    bell: tuple[JobQueuePort, Callable[[str], None]], resource_class: str
) -> None:
    """A ring is there until a runner hears it, then it is gone."""
    queue, answer = bell
    assert queue.silent(resource_class)
    queue.ring(resource_class)
    assert not queue.silent(resource_class)
    answer(resource_class)
    assert queue.silent(resource_class)


def test_a_queue_that_is_away_is_unavailable() -> None:
    """No foreign error leaves the adapter, and nothing hangs."""
    broker = RedisBroker(client=redis.Redis(port=1, socket_connect_timeout=1), middleware=[])
    away = DramatiqQueue(broker)
    for attempt in (lambda: away.ring("small"), lambda: away.silent("small")):
        with pytest.raises(Unavailable):
            attempt()
