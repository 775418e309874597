"""When the canary runs, and that a red one refuses jobs (BOX-12)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest

from core.domain.canary import CanaryReport
from core.domain.errors import Unavailable
from runner.canary import scheduler
from runner.canary.scheduler import CanaryScheduler
from runner.worker.availability import Availability
from runner.worker.report import HostFacts
from tests.twins.runners import MemoryRunners
from tests.unit.runner.canary.findings import report_of, row

pytestmark = pytest.mark.unit


@dataclass
class Scheduled:
    """A scheduler whose canary says what the test wants."""

    says: list[CanaryReport | Exception]
    rung: int = 0
    availability: Availability = field(init=False)
    facts: HostFacts = field(default_factory=HostFacts)
    runners: MemoryRunners = field(default_factory=MemoryRunners)

    def __post_init__(self) -> None:
        self.availability = Availability(name="a:1", host="h", runners=self.runners, check_engine=lambda: None,
                                         folders=list, min_free_bytes=0, draining=threading.Event())  # fmt: skip
        self.scheduler = CanaryScheduler(
            canary=self._next, availability=self.availability, facts=self.facts, runners=self.runners, ring=self._ring
        )

    def _next(self) -> CanaryReport:
        answer = self.says.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _ring(self) -> None:
        self.rung += 1
        raise Unavailable("Redis", "it is away")  # must not matter: the sweeper rings, too


def test_no_job_is_begun_before_the_walls_are_known_to_hold() -> None:
    scheduled = Scheduled([report_of(row(ok=True))])
    assert not scheduled.availability.takes_new()
    scheduled.scheduler.probe()
    assert (scheduled.availability.takes_new(), scheduled.rung) == (True, 1)
    assert (scheduled.facts.canary or {})["ok"] is True


def test_a_red_row_refuses_jobs_until_it_is_green_and_says_why() -> None:
    """BOX-12: in the words that admins see in the runner's report."""
    found = [report_of(row(ok=True)), report_of(row(ok=False)), RuntimeError("odd"), report_of(row(ok=True))]
    scheduled = Scheduled(list(found))
    scheduled.scheduler.probe()
    scheduled.scheduler.probe()
    assert "small: network: expected lo, found lo eth0" in str(scheduled.availability.state()[1])
    assert (scheduled.facts.canary or {})["rows"][0]["ok"] is False
    scheduled.scheduler.probe()
    assert "RuntimeError" in str(scheduled.availability.refusal)
    scheduled.scheduler.probe()
    assert (scheduled.availability.takes_new(), scheduled.rung) == (True, 2)


def test_it_is_asked_at_the_start_and_when_an_admin_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "LOOK_SECONDS", 0.01)
    scheduled = Scheduled([report_of(row(ok=True)) for _ in range(2)])
    ended = threading.Event()
    thread = threading.Thread(target=scheduled.scheduler.run, args=(ended,))
    thread.start()
    while len(scheduled.says) == 2 or scheduled.availability.refusal:
        ended.wait(0.01)
    ended.wait(0.1)
    assert len(scheduled.says) == 1  # the hour is not over
    scheduled.runners.ask_canary("h")
    while scheduled.says:
        ended.wait(0.01)
    ended.set()
    thread.join()


@pytest.mark.parametrize(("reds", "seconds"), [(0, 3600.0), (1, 5.0), (2, 60.0), (9, 60.0)])
def test_a_first_red_one_is_soon_looked_at_again(reds: int, seconds: float) -> None:
    """A machine that stood still for a moment may have caused it; jobs wait until then all the same."""
    assert scheduler.pause_after(reds) == seconds


def test_a_machine_that_stood_still_is_let_in_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(scheduler, "SECOND_LOOK_SECONDS", 0.01)
    scheduled = Scheduled([report_of(row(ok=False)), report_of(row(ok=True))])
    ended = threading.Event()
    thread = threading.Thread(target=scheduled.scheduler.run, args=(ended,))
    thread.start()
    while scheduled.says or scheduled.availability.refusal:
        ended.wait(0.01)
    ended.set()
    thread.join()
    assert scheduled.rung == 1
