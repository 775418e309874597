"""The runner's Dramatiq broker on Redis: prefetches nothing, and hears a new message at once.

Dramatiq's own consumer polls: after some empty looks it sleeps for up to a second between two of them. Here each sender
publishes the name of the queue after its message, and a consumer sleeps until that, or until a message of its own is
done. It still looks once per worker timeout (a second), so a wake-up that is lost delays a message and loses none.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import redis
import structlog
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer

LEAST_SLEEP_MS = 1
"""Dramatiq's own sleep after an empty look, which cannot be left out."""
RETRY_SECONDS = 1.0
LISTEN_SECONDS = 1.0
"""How long the listener waits for one message; it ends no later than that."""
PING_SECONDS = 10.0
SILENCE_SECONDS = 35.0
"""Without any answer for so long the connection counts as dead: three pings."""

log = structlog.get_logger(__name__)


class OneBellAtATime(RedisBroker):
    """A broker that prefetches nothing: by default a busy worker holds a second message, which idle workers never get.

    Its messages are allowed even when Redis is out of memory, so that jobs accepted before still start. They are few
    and small, since the ledger refuses every new job then.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        dispatch: Any = self.scripts["dispatch"].script
        self.scripts["dispatch"] = self.client.register_script(b"#!lua flags=allow-oom\n" + dispatch)
        self._wake_ups = WakeUps(self.client, wake_up_channel(self))

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Any:  # noqa: ARG002 that is the point
        """A consumer of one message at a time. `timeout` is in milliseconds: the longest time between two looks."""
        return WokenConsumer(self, queue_name, timeout, self._wake_ups.of_queue(queue_name))

    def close(self) -> None:
        self._wake_ups.close()
        super().close()


def wake_up_channel(broker: RedisBroker) -> str:
    """The Redis channel on which senders say into which queue they have put a message."""
    return f"{broker.namespace}:wake-ups"


class WokenConsumer(_RedisConsumer):
    """Dramatiq's consumer, whose sleep after an empty look ends when `woken` is set."""

    def __init__(self, broker: RedisBroker, queue_name: str, timeout: int, woken: threading.Event) -> None:
        super().__init__(broker, queue_name, 1, LEAST_SLEEP_MS)  # type: ignore[no-untyped-call]
        self._idle_seconds, self._woken = timeout / 1000, woken

    def __next__(self) -> Any:
        self._woken.clear()  # before the look, so that a wake-up during it counts
        message = super().__next__()  # type: ignore[no-untyped-call]
        if message is None:
            self._woken.wait(self._idle_seconds)
        return message

    def ack(self, message: Any) -> None:
        super().ack(message)  # type: ignore[no-untyped-call]
        self._woken.set()

    def nack(self, message: Any) -> None:
        super().nack(message)  # type: ignore[no-untyped-call]
        self._woken.set()


class WakeUps:
    """Sets the events of this process's consumers, from a thread that begins with the first of them. Thread-safe."""

    def __init__(self, client: redis.Redis, channel: str) -> None:
        self._client, self._channel = client, channel
        self._events: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def of_queue(self, queue_name: str) -> threading.Event:
        """The event that is set when a message may be waiting in the queue."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True, name="wake-ups")
                self._thread.start()
            return self._events.setdefault(queue_name, threading.Event())

    def close(self) -> None:
        """Ends the thread; waits at most a moment longer than it listens for one message."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2 * LISTEN_SECONDS)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                with self._client.pubsub() as subscription:  # type: ignore[no-untyped-call]
                    subscription.subscribe(self._channel)
                    self._listen(subscription)
            except redis.RedisError as error:
                log.warning("wake-ups are not heard: messages are looked for", error=type(error).__name__)
                self._ended.wait(RETRY_SECONDS)

    def _listen(self, subscription: Any) -> None:
        """Until the end. Raises RedisError, also when the connection has not answered for SILENCE_SECONDS."""
        heard = pinged = time.monotonic()
        while not self._ended.is_set():
            message = subscription.get_message(timeout=LISTEN_SECONDS)
            now = time.monotonic()
            if message is not None:
                heard = now
                self._wake(message)
            elif now - heard > SILENCE_SECONDS:
                raise redis.ConnectionError("no answer to a ping")
            elif now - pinged > PING_SECONDS:
                subscription.ping()
                pinged = now

    def _wake(self, message: dict[str, Any]) -> None:
        """Wakes the queue's consumer; after a new subscription all of them, since wake-ups may have been missed."""
        with self._lock:
            if message["type"] == "subscribe":
                woken = list(self._events.values())
            else:
                named = self._events.get(message["data"].decode(errors="replace")) if message["data"] else None
                woken = [named] if named is not None else []
        for event in woken:
            event.set()
