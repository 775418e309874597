"""Waits for what another thread or process does, without a fixed pause."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE_SECONDS = 120.0


def until(condition: Callable[[], object]) -> None:
    """Return as soon as the condition holds; fails after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"it did not come to be within {PATIENCE_SECONDS:g} s"
        time.sleep(0.01)
