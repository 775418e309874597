"""A gateway that kills itself between ledger and doorbell: `uvicorn --factory tests.docker.dying_gateway:build`."""

from __future__ import annotations

import os
import signal

from fastapi import FastAPI

import gateway.app
from core.adapters.dramatiq_queue import DramatiqQueue


def build() -> FastAPI:
    """The real thing, with one trap in it."""
    DramatiqQueue.ring = _die  # type: ignore[method-assign]
    return gateway.app.build()


def _die(_bell: DramatiqQueue, _resource_class: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
