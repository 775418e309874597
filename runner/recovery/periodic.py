"""Steps repeated beside the jobs, in a thread for each part that they ask: one that hangs holds up no other."""

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
    """What is asked of one part: each step with the seconds between two of its turns."""

    part: str
    steps: tuple[tuple[float, Step], ...]

    def run(self, ended: threading.Event) -> None:
        """Until `ended` is set; every step has its first turn at once."""
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
    """A part that is away now is asked again in the next turn; one failing step keeps no other from its work."""
    try:
        step()
    except (LeadersboardError, OSError) as error:
        log.warning("sweep step failed", step=step.__name__, error=str(error))
    except Exception:  # the thread must not end: nothing else mends what it mends
        log.exception("sweep step broke", step=step.__name__)
