"""A runner that waits two seconds for its engine, not a minute: `dramatiq tests.docker.impatient_runner:build`."""

from __future__ import annotations

from dramatiq.brokers.redis import RedisBroker

import runner.engine.docker_engine
import runner.engine.inspection
import runner.main

PATIENCE_SECONDS = 2


def build() -> RedisBroker:
    runner.engine.docker_engine.CALL_SECONDS = PATIENCE_SECONDS
    runner.engine.inspection.CALL_SECONDS = PATIENCE_SECONDS
    return runner.main.build()
