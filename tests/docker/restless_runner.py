"""A runner whose runs wait a second for a reader that sleeps: `dramatiq tests.docker.restless_runner:build`."""

from __future__ import annotations

from dramatiq.brokers.redis import RedisBroker

import runner.main
from runner.engine.output import stream as output_stream


def build() -> RedisBroker:
    output_stream.UNREAD_SECONDS = 1.0
    return runner.main.build()
