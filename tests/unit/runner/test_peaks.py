"""The highest figures of a run: what is kept of samples, and what happens when there are none."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import pytest
from docker.errors import APIError
from docker.models.containers import Container

from core.domain.errors import Unavailable
from runner.engine.output.usage import Peaks

pytestmark = pytest.mark.unit


class Counted:
    """A container whose figures go up and down."""

    def __init__(self, *memory: int) -> None:
        self.memory = list(memory)

    def stats(self, **_options: object) -> dict[str, Any]:
        if not self.memory:
            raise APIError("it has ended")
        return {
            "memory_stats": {"usage": self.memory.pop(0)},
            "pids_stats": {"current": 3},
            "cpu_stats": {"cpu_usage": {"total_usage": 5 * 10**8}},
        }


def test_the_highest_of_all_samples_stays() -> None:
    """BOX-9: also when the container is gone by the next one."""
    peaks = Peaks(cast("Container", Counted(100, 900, 200)), None)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        seen = peaks.seen()
        time.sleep(0.01)
    assert seen == {"memory_bytes": 900.0, "pids": 3.0, "cpu_seconds": 0.5}


def test_a_run_whose_container_is_gone_has_no_figures() -> None:
    """Taken over while its output was read."""
    assert Peaks(None, None).seen() == {}


def test_a_device_that_takes_long_to_tell_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's time-out and cancel are heard meanwhile; an engine that is away is no failure of the run."""
    monkeypatch.setattr("runner.engine.output.usage.GPU_SAMPLE_SECONDS", 0.1)
    told, answers = threading.Event(), iter([3 * 10**9, Unavailable("The engine", "away"), 10**9])

    def gpu_memory() -> int:
        told.wait(5)
        answer = next(answers, 0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    peaks = Peaks(None, gpu_memory)
    time.sleep(1.1)
    began = time.monotonic()
    assert peaks.seen() == {}
    assert time.monotonic() - began < 1
    told.set()
    until = time.monotonic() + 10
    while "gpu_memory_bytes" not in peaks.seen() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.5)
    assert peaks.seen() == {"gpu_memory_bytes": 3e9}
