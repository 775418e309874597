"""The doorbell as Dramatiq messages on Redis; actors are addressed by name, so this code need not import the runner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError

from core.adapters.dramatiq_broker import wake_up_channel
from core.domain.errors import Unavailable

ACTOR = "run_next"


def queue_name(resource_class: str) -> str:
    return f"jobs.{resource_class}"


class DramatiqQueue:
    """JobQueuePort on a Dramatiq broker."""

    def __init__(self, broker: RedisBroker) -> None:
        self._broker = broker

    def ring(self, resource_class: str) -> None:
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=queue_name(resource_class), actor_name=ACTOR, args=(resource_class,), kwargs={}, options={}
        )
        with _broker_errors():
            self._broker.enqueue(message)
        with suppress(redis.RedisError):  # the message is there, and is found by the next look
            self._broker.client.publish(wake_up_channel(self._broker), message.queue_name)

    def silent(self, resource_class: str) -> bool:
        with _broker_errors():
            waiting: Any = self._broker.client.llen(f"{self._broker.namespace}:{queue_name(resource_class)}")
        return bool(waiting == 0)


@contextmanager
def _broker_errors() -> Iterator[None]:
    try:
        yield
    except (redis.RedisError, BrokerConnectionError) as error:
        raise Unavailable("The job queue (Redis)", type(error).__name__) from error
