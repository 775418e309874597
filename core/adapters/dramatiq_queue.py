"""The doorbell as Dramatiq messages on Redis; actors are addressed by name, so this code need not import the runner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import BrokerConnectionError

from core.domain.errors import Unavailable

ACTOR = "run_next"


def queue_name(resource_class: str) -> str:
    return f"jobs.{resource_class}"


class OneBellAtATime(RedisBroker):
    """A broker that prefetches nothing: by default a busy worker holds a second message, which idle workers never get.

    Its messages are allowed even when Redis is out of memory, so that jobs accepted before still start. They are few
    and small, since the ledger refuses every new job then.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        dispatch: Any = self.scripts["dispatch"].script
        self.scripts["dispatch"] = self.client.register_script(b"#!lua flags=allow-oom\n" + dispatch)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Any:  # noqa: ARG002 that is the point
        return super().consume(queue_name, prefetch=1, timeout=timeout)


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
