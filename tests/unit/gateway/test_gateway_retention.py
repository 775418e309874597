"""Retention over the API: shown, done, pinned; once a day by one gateway. What it removes: tests/integration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from core.domain.errors import NotFinished
from core.domain.retention import Expired, OldRun
from core.settings import Settings
from gateway.routes import retention
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit

JOB = "a" * 32
GOES = Expired(
    before=datetime(2026, 1, 1, tzinfo=UTC), jobs=[JOB], logs=[JOB], trimmed=2,
    runs=[OldRun(run_id="r", experiment_id="1", job_id=JOB)],
)  # fmt: skip


@dataclass
class Told:
    """What was asked of retention."""

    asked: list[tuple[str, object]] = field(default_factory=list)

    def note(self, what: str, answer: object = None) -> object:
        def call(value: object) -> object:
            self.asked.append((what, value))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    found = Told()

    @contextmanager
    def opened(_settings: Settings) -> Iterator[object]:
        records = SimpleNamespace(
            pin=found.note("pin", NotFinished("it runs")), unpin=found.note("unpin"), pinned=lambda: {JOB}
        )
        yield SimpleNamespace(plan=found.note("plan", GOES), carry_out=found.note("carry out", GOES), records=records)

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


def test_of_several_gateways_one_does_it_in_a_day(site: Site, told: Told) -> None:
    turns = [retention.round_of_today(site.app.state.settings, site.ports) for _gateway in range(3)]
    assert turns == [True, False, False]
    assert told.asked == [("carry out", 90)]


@pytest.mark.parametrize("call", [("GET", "/admin/retention"), ("POST", "/admin/retention"), ("GET", "/admin/pins")])
def test_only_admins_get_in(site: Site, told: Told, call: tuple[str, str]) -> None:
    assert site.as_("ada").request(*call).status_code == 403
    assert told.asked == []
