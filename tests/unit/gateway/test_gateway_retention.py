"""Retention over the API: shown, done, pinned; once a day done by one gateway. What it removes: tests/integration."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from core.domain.errors import NotFinished, Unavailable
from core.domain.retention import Expired, OldRun
from core.settings import Settings
from gateway.app import create_app
from gateway.routes import retention
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit

JOB = "a" * 32
GOES = Expired(
    before=datetime(2026, 1, 1, tzinfo=UTC), jobs=[JOB], logs=[JOB], trimmed=2,
    runs=[OldRun(run_id="r", experiment_id="1", job_id=JOB)],
)  # fmt: skip
NOTHING = Expired(before=GOES.before)


@dataclass
class Told:
    """What was asked of retention, and what its rounds answer: one by one these, then that nothing was left."""

    asked: list[tuple[str, object]] = field(default_factory=list)
    rounds: list[Expired | Exception] = field(default_factory=lambda: [GOES])

    def note(self, what: str, answer: object = None) -> object:
        def call(value: object) -> object:
            self.asked.append((what, value))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def carry_out(self, days: int) -> Expired:
        self.asked.append(("carry out", days))
        found = self.rounds.pop(0) if self.rounds else NOTHING
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    found = Told()

    @contextmanager
    def opened(_settings: Settings) -> Iterator[object]:
        records = SimpleNamespace(
            pin=found.note("pin", NotFinished("it runs")),
            unpin=found.note("unpin"),
            pinned=lambda: {JOB},
            keep_all=lambda: found.asked.append(("keep all", None)) or 1,  # type: ignore[func-returns-value]
        )
        yield SimpleNamespace(plan=found.note("plan", GOES), carry_out=found.carry_out, records=records)

    monkeypatch.setattr(retention, "open_retention", opened)
    return found


def test_a_dry_run_touches_nothing(site: Site, told: Told) -> None:
    """RUN-7: shown before it acts."""
    answer = site.as_("root").get("/admin/retention").json()
    assert (answer["days"], answer["jobs"], answer["runs"][0]["run_id"]) == (90, [JOB], "r")
    assert told.asked == [("plan", 90)]


def test_a_round_tells_what_went(site: Site, told: Told) -> None:
    assert site.as_("root").post("/admin/retention").json()["trimmed"] == 2
    assert told.asked == [("carry out", 90)]


def test_pins_are_set_listed_and_taken_away(site: Site, told: Told) -> None:
    """A job that has not ended is refused in words."""
    assert site.as_("root").post(f"/admin/jobs/{JOB}/pin").status_code == 409
    assert site.as_("root").delete(f"/admin/jobs/{JOB}/pin").status_code == 204
    assert site.as_("root").get("/admin/pins").json() == {"job_ids": [JOB]}
    assert told.asked == [("pin", JOB), ("unpin", JOB)]


@pytest.fixture
def night(site: Site, told: Told, monkeypatch: pytest.MonkeyPatch) -> Night:
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    return Night(site, told)


class Night:
    """A gateway's rounds, and a clock that is set forth."""

    def __init__(self, site: Site, told: Told) -> None:
        self.site, self.told, self.ended = site, told, threading.Event()
        self._now = 0.0
        site.ports.runners.clock = lambda: self._now

    def rounds(self) -> bool:
        return retention.rounds_of_today(self.site.app.state.settings, self.site.ports, self.ended)

    def later(self, seconds: float) -> None:
        self._now += seconds

    @property
    def count(self) -> int:
        return self.told.asked.count(("carry out", 90))


def test_of_several_gateways_one_does_it_in_a_day(night: Night) -> None:
    assert [night.rounds() for _gateway in range(3)] == [True, False, False]
    night.later(retention.EVERY_SECONDS - 1)
    assert not night.rounds()
    night.later(1)
    assert night.rounds()


def test_rounds_are_repeated_until_nothing_goes(night: Night) -> None:
    """RUN-7: a round is bounded, and a busy site's day has more than one holds."""
    night.told.rounds = [GOES] * 7
    assert night.rounds()
    assert night.count == 8


def test_rounds_are_bounded(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong, it ends for this day."""
    monkeypatch.setattr(retention, "MOST_ROUNDS", 3)
    night.told.rounds = [GOES] * 99
    assert night.rounds()
    assert night.count == 3


@pytest.mark.parametrize(
    "first", [Unavailable("MLflow"), replace(GOES, hindered=True), replace(NOTHING, hindered=True)]
)
def test_a_part_that_is_away_does_not_use_up_the_day(night: Night, first: Expired | Exception) -> None:
    """What it kept goes a while later, not a day later."""
    night.told.rounds = [first]
    try:
        assert not night.rounds()
    except Unavailable:
        assert isinstance(first, Unavailable)
    night.later(retention.ASK_SECONDS)
    assert night.rounds()
    assert night.count == 2


def test_a_gateway_that_stops_begins_no_other_round(night: Night) -> None:
    """And leaves the rest of the day to the next one."""
    night.told.rounds = [GOES] * 99
    night.ended.set()
    assert not night.rounds()
    assert night.count == 1
    night.ended.clear()
    night.later(retention.ASK_SECONDS)
    assert night.rounds()


def test_it_begins_and_ends_with_the_app(site: Site, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """RUN-7: nobody has to ask for it."""
    monkeypatch.setattr(retention, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.01)

    @contextmanager
    def opened(*_settings: object, **_named: object) -> Iterator[object]:
        yield site.ports

    monkeypatch.setattr("gateway.app.open_ports", opened)
    with TestClient(create_app(site.app.state.settings)):
        until(lambda: len(told.asked) == 2)
    assert told.asked == [("carry out", 90)] * 2
    until(lambda: "retention" not in {thread.name for thread in threading.enumerate()})


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("call", [("GET", "/admin/retention"), ("POST", "/admin/retention"), ("GET", "/admin/pins")])
def test_only_admins_get_in(site: Site, told: Told, call: tuple[str, str]) -> None:
    assert site.as_("ada").request(*call).status_code == 403
    assert told.asked == []


def test_old_entries_of_the_audit_trail_go_with_the_rest(site: Site, told: Told) -> None:
    """DOR-7: kept as long as jobs; by an admin's round and by those of each day."""
    trail = site.ports.audit
    now = time.time()
    trail.clock = lambda: now - 91 * 86_400  # type: ignore[attr-defined]
    site.as_("root").delete("/users/nobody")
    trail.clock = lambda: now  # type: ignore[attr-defined]
    assert len(trail._entries) == 1  # type: ignore[attr-defined]
    retention.rounds_of_today(site.app.state.settings, site.ports, threading.Event())
    assert trail._entries == []  # type: ignore[attr-defined]


def test_where_nothing_goes_all_is_kept_once_a_day(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """RETENTION_DAYS=0: the ledger's records would end by themselves."""
    settings = night.site.app.state.settings.model_copy(update={"retention_days": 0})
    monkeypatch.setattr(night.site.app.state, "settings", settings)
    assert [night.rounds(), night.rounds()] == [True, False]
    assert night.told.asked == [("keep all", None)]
