"""The highest figures of a run: what is kept of samples, and what happens when there are none."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, cast

import pytest
from docker.errors import APIError
from docker.models.containers import Container

from core.domain.errors import Unavailable
from runner.engine.output import usage
from runner.engine.output.usage import GPU_SAMPLE_SECONDS, LONGEST_SAMPLE_SECONDS, Peaks, cpu_use

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
            "read": "2026-11-27T14:00:24.524902123Z",
            "cpu_stats": {"cpu_usage": {"total_usage": 5 * 10**8}, "throttling_data": {"periods": 7}},
        }


@dataclass
class Clock:
    """What the module takes for time."""

    now: float = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(usage, "time", made)
    return made


def test_the_highest_of_all_samples_stays(clock: Clock) -> None:
    """BOX-9: also when the container is gone by the next one."""
    peaks = Peaks(cast("Container", Counted(100, 900, 200)), None)
    for _look in range(10):
        seen = peaks.seen()
        clock.now += LONGEST_SAMPLE_SECONDS
    assert seen == {"memory_bytes": 900.0, "pids": 3.0, "cpu_seconds": 0.5}


def test_a_run_whose_container_is_gone_has_no_figures() -> None:
    """Taken over while its output was read."""
    assert Peaks(None, None).seen() == {}


def test_a_device_that_takes_long_to_tell_is_not_waited_for(clock: Clock) -> None:
    """The run's time-out and cancel are heard meanwhile; an engine that is away is no failure of the run."""
    told, answers = threading.Event(), iter([3 * 10**9, Unavailable("The engine", "away"), 10**9])

    def gpu_memory() -> int:
        assert told.wait(60)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    peaks = Peaks(None, gpu_memory)
    clock.now = 1.1
    assert peaks.seen() == {}
    told.set()
    for _later_answer in range(2):
        await_answer()
        assert peaks.seen() == {"gpu_memory_bytes": 3e9}
        clock.now += GPU_SAMPLE_SECONDS
        peaks.seen()
    await_answer()
    assert (peaks.seen(), next(answers, None)) == ({"gpu_memory_bytes": 3e9}, None)


def test_the_cpu_time_of_a_container_is_the_engines_count_by_its_own_clock() -> None:
    told = cpu_use(cast("Container", Counted(1)))
    assert told is not None
    assert (told.used_seconds, told.periods) == (0.5, 7)
    assert told.at_seconds == pytest.approx(1795788024.524902)


@pytest.mark.parametrize("stats", [{}, {"cpu_stats": {"cpu_usage": {"total_usage": 0}}}, {"cpu_stats": None}])
def test_a_container_that_does_not_run_has_no_cpu_time(stats: dict[str, Any]) -> None:
    class Ended:
        def stats(self, **_options: object) -> dict[str, Any]:
            return stats

    assert cpu_use(cast("Container", Ended())) is None
    assert cpu_use(cast("Container", Counted())) is None


def await_answer() -> None:
    for thread in threading.enumerate():
        if thread.name == "gpu peak":
            thread.join()
