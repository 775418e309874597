"""Retention once a day, by one gateway (RUN-7). What it removes: tests/integration."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.errors import Unavailable
from core.domain.retention import Expired
from core.wiring import Ports
from gateway.background import retention
from tests.memory_ports import memory_ports
from tests.sites import Site
from tests.unit.gateway.scripted_retention import GOES, NOTHING, ScriptedRetention
from tests.waiting import until

pytestmark = pytest.mark.unit


class Night:
    """A gateway's rounds, and a clock that the test sets."""

    def __init__(self, ports: Ports) -> None:
        self.ports, self.retention, self.ended, self.days = ports, ScriptedRetention(), threading.Event(), 90
        self._now = 0.0
        ports.runners.clock = lambda: self._now  # type: ignore[attr-defined]

    def rounds(self) -> bool:
        return retention.rounds_of_today(self.retention, self.ports, days=self.days, ended=self.ended)

    def later(self, seconds: float) -> None:
        self._now += seconds

    @property
    def count(self) -> int:
        return self.retention.asked.count(("carry out", 90))


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> Night:
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    return Night(memory_ports())


def test_of_several_gateways_one_does_it_in_a_day(night: Night) -> None:
    assert [night.rounds() for _gateway in range(3)] == [True, False, False]
    night.later(retention.EVERY_SECONDS - 1)
    assert not night.rounds()
    night.later(1)
    assert night.rounds()


def test_rounds_are_repeated_until_nothing_goes(night: Night) -> None:
    """RUN-7: a round is bounded, and a busy site's day has more than one holds."""
    night.retention.rounds = [GOES] * 7
    assert night.rounds()
    assert night.count == 8


def test_rounds_are_bounded(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong, it ends for this day."""
    monkeypatch.setattr(retention, "MOST_ROUNDS", 3)
    night.retention.rounds = [GOES] * 99
    assert night.rounds()
    assert night.count == 3


@pytest.mark.parametrize(
    "first", [Unavailable("MLflow"), replace(GOES, hindered=True), replace(NOTHING, hindered=True)]
)
def test_a_part_that_is_away_does_not_use_up_the_day(night: Night, first: Expired | Exception) -> None:
    """What it kept goes a while later, not a day later."""
    night.retention.rounds = [first]
    try:
        assert not night.rounds()
    except Unavailable:
        assert isinstance(first, Unavailable)
    night.later(retention.ASK_SECONDS)
    assert night.rounds()
    assert night.count == 2


def test_a_gateway_that_stops_begins_no_other_round(night: Night) -> None:
    """And leaves the rest of the day to the next one."""
    night.retention.rounds = [GOES] * 99
    night.ended.set()
    assert not night.rounds()
    assert night.count == 1
    night.ended.clear()
    night.later(retention.ASK_SECONDS)
    assert night.rounds()


def test_it_begins_and_ends_with_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-7: nobody has to ask for it."""
    monkeypatch.setattr(retention, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    scripted, others = ScriptedRetention(), set(retention_threads())
    with closing(Site(tmp_path, retention=scripted)) as site:
        site.as_(None)
        until(lambda: len(scripted.asked) == 2)
    assert scripted.asked == [("carry out", 90)] * 2
    until(lambda: set(retention_threads()) <= others)


def retention_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "retention"]


def test_old_entries_of_the_audit_trail_go_with_the_rest(site: Site) -> None:
    """DOR-7: kept as long as jobs; by an admin's round and by those of each day."""
    site.retention = ScriptedRetention()
    trail, now = site.ports.audit, time.time()
    trail.clock = lambda: now - 91 * 86_400  # type: ignore[attr-defined]
    site.as_("root").delete("/users/nobody")
    trail.clock = lambda: now  # type: ignore[attr-defined]
    assert len(trail._entries) == 1  # type: ignore[attr-defined]
    retention.rounds_of_today(site.retention, site.ports, days=0, ended=threading.Event())
    assert trail._entries == []  # type: ignore[attr-defined]


def test_where_nothing_goes_all_is_kept_once_a_day(night: Night) -> None:
    """RETENTION_DAYS=0: the ledger's records would end by themselves."""
    night.days = 0
    assert [night.rounds(), night.rounds()] == [True, False]
    assert night.retention.asked == [("keep all", None)]
