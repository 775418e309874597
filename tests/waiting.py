"""Waits for what another thread or process does, without a fixed pause."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 20.0


def until(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds; fails after 20 s."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be within 20 s"
        time.sleep(0.01)
