"""A runner hears a message at once, however long it has been idle, and loses none when wake-ups are lost (JOB-4)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

import dramatiq
import pytest
import redis

from core.adapters import dramatiq_broker
from core.adapters.dramatiq_broker import OneBellAtATime
from core.adapters.dramatiq_queue import DramatiqQueue
from runner.worker.actor import declare
from tests.conftest import redis_url

pytestmark = pytest.mark.integration

LOOK_SECONDS = 120
"""Between two looks of these workers. A message that is heard within AT_ONCE has woken its worker."""
AT_ONCE = 10


class Hearing:
    """An idle worker of one thread and what it has heard."""

    def __init__(self, look_seconds: float = LOOK_SECONDS) -> None:
        self.broker = OneBellAtATime(url=redis_url(), middleware=[])
        self.heard: queue.Queue[str] = queue.Queue()
        self.goes_on = threading.Event()
        self.goes_on.set()
        declare(self.broker, self._answer, ["small", "medium"])
        self.worker = dramatiq.Worker(self.broker, worker_threads=1, worker_timeout=int(1000 * look_seconds))
        self.worker.start()

    def _answer(self, resource_class: str) -> None:
        self.heard.put(resource_class)
        self.goes_on.wait(60)

    def idle(self, client: redis.Redis) -> None:
        """Wait until the worker listens and has looked in vain."""
        deadline = time.monotonic() + 120
        while not (client.pubsub_numsub("dramatiq:wake-ups")[0][1] and self._has_begun()):
            assert time.monotonic() < deadline, "the worker listens"
            time.sleep(0.02)
        time.sleep(0.5)

    def _has_begun(self) -> bool:
        return all(thread.consumer is not None for thread in self.worker.consumers.values())

    def close(self) -> None:
        self.goes_on.set()
        for thread in self.worker.consumers.values():
            thread.running = False
            if thread.consumer is not None:  # it is being opened anew
                thread.consumer._woken.set()  # or stopping takes LOOK_SECONDS
        self.worker.stop(timeout=5000)
        self.broker.close()


@pytest.fixture
def hearing(redis_client: redis.Redis) -> Iterator[Hearing]:
    made = Hearing()
    made.idle(redis_client)
    yield made
    made.close()


@pytest.fixture
def bell(redis_client: redis.Redis) -> Iterator[DramatiqQueue]:
    """The sender's, on a broker of its own."""
    broker = OneBellAtATime(url=redis_url(), middleware=[])
    yield DramatiqQueue(broker)
    broker.close()


def test_an_idle_worker_hears_a_message_at_once(hearing: Hearing, bell: DramatiqQueue) -> None:
    """Of any of its queues."""
    for resource_class in ("small", "medium", "small"):
        bell.ring(resource_class)
        assert hearing.heard.get(timeout=AT_ONCE) == resource_class


def test_a_message_that_waited_is_taken_when_the_one_before_is_done(hearing: Hearing, bell: DramatiqQueue) -> None:
    """Its wake-up came while the worker was busy."""
    hearing.goes_on.clear()
    bell.ring("small")
    hearing.heard.get(timeout=AT_ONCE)
    bell.ring("small")
    time.sleep(0.5)
    assert hearing.heard.empty()
    hearing.goes_on.set()
    assert hearing.heard.get(timeout=AT_ONCE) == "small"


def test_a_listener_that_lost_its_connection_listens_again(
    hearing: Hearing, bell: DramatiqQueue, redis_client: redis.Redis
) -> None:
    """A message that is sent meanwhile is heard when it does."""
    redis_client.client_kill_filter(_type="pubsub")
    bell.ring("small")
    assert hearing.heard.get(timeout=AT_ONCE) == "small"
    hearing.idle(redis_client)
    bell.ring("medium")
    assert hearing.heard.get(timeout=AT_ONCE) == "medium"


def test_without_wake_ups_messages_are_looked_for(
    redis_client: redis.Redis, bell: DramatiqQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a sender of an older version, which publishes nothing."""
    monkeypatch.setattr(dramatiq_broker.WakeUps, "_wake", lambda *_: None)
    made = Hearing(look_seconds=0.5)
    made.idle(redis_client)
    bell.ring("small")
    assert made.heard.get(timeout=AT_ONCE) == "small"
    made.close()
