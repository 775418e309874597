"""Repeats steps beside the jobs, in one thread for each part that they use: a part that hangs holds up no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from core.domain.errors import LeadersboardError

Step = Callable[[], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """The steps that use one part, each with the seconds between two of its turns."""

    part: str
    steps: tuple[tuple[float, Step], ...]

    def run(self, ended: threading.Event) -> None:
        """Repeats the steps until `ended` is set; every step has its first turn at once."""
        due = [0.0] * len(self.steps)
        while not ended.is_set():
            for number, (seconds, step) in enumerate(self.steps):
                if time.monotonic() >= due[number]:
                    attempted(step)
                    due[number] = time.monotonic() + seconds
            ended.wait(max(0.0, min(due) - time.monotonic()))


def begin(rounds: Iterable[Round], ended: threading.Event) -> None:
    for one in rounds:
        threading.Thread(target=one.run, args=(ended,), daemon=True, name=f"sweeper: {one.part}").start()


def attempted(step: Step) -> None:
    """Runs the step and logs its errors: a failed step is tried again in its next turn, and stops no other."""
    try:
        step()
    except (LeadersboardError, OSError) as error:
        log.warning("sweep step failed", step=step.__name__, error=str(error))
    except Exception:  # the thread must not end: no other does these steps
        log.exception("sweep step broke", step=step.__name__)
