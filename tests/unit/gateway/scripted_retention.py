"""Retention that answers what a test wrote down, and notes what was asked."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from core.domain.errors import NotFinished
from core.domain.retention import Expired, OldRun

JOB = "a" * 32
GOES = Expired(
    before=datetime(2026, 1, 1, tzinfo=UTC), jobs=[JOB], logs=[JOB], trimmed=2,
    runs=[OldRun(run_id="r", experiment_id="1", job_id=JOB)],
)  # fmt: skip
NOTHING = Expired(before=GOES.before)


class ScriptedRetention:
    """`rounds` are answered one by one, then that nothing was left."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []
        self.rounds: list[Expired | Exception] = [GOES]
        self.records = SimpleNamespace(pin=self._pin, unpin=self._unpin, pinned=lambda: {JOB}, keep_all=self._keep_all)

    def plan(self, days: int) -> Expired:
        self.asked.append(("plan", days))
        return GOES

    def carry_out(self, days: int) -> Expired:
        self.asked.append(("carry out", days))
        found = self.rounds.pop(0) if self.rounds else NOTHING
        if isinstance(found, Exception):
            raise found
        return found

    def _pin(self, job_id: str) -> None:
        self.asked.append(("pin", job_id))
        raise NotFinished("it runs")

    def _unpin(self, job_id: str) -> None:
        self.asked.append(("unpin", job_id))

    def _keep_all(self) -> int:
        self.asked.append(("keep all", None))
        return 1
