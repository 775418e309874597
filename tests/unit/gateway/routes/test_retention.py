"""Retention over HTTP (RUN-7): shown, carried out, pinned. What it removes: tests/integration."""

from __future__ import annotations

import pytest

from tests.sites import Site
from tests.unit.gateway.scripted_retention import JOB, ScriptedRetention

pytestmark = pytest.mark.unit


@pytest.fixture
def retention(site: Site) -> ScriptedRetention:
    site.retention = ScriptedRetention()
    return site.retention


def test_a_dry_run_touches_nothing(site: Site, retention: ScriptedRetention) -> None:
    """RUN-7: shown before it acts."""
    answer = site.as_("root").get("/admin/retention").json()
    assert (answer["days"], answer["jobs"], answer["runs"][0]["run_id"]) == (90, [JOB], "r")
    assert retention.asked == [("plan", 90)]


def test_a_round_tells_what_went(site: Site, retention: ScriptedRetention) -> None:
    assert site.as_("root").post("/admin/retention").json()["trimmed"] == 2
    assert retention.asked == [("carry out", 90)]


def test_pins_are_set_listed_and_taken_away(site: Site, retention: ScriptedRetention) -> None:
    """A job that has not ended is refused in words."""
    assert site.as_("root").post(f"/admin/jobs/{JOB}/pin").status_code == 409
    assert site.as_("root").delete(f"/admin/jobs/{JOB}/pin").status_code == 204
    assert site.as_("root").get("/admin/pins").json() == {"job_ids": [JOB]}
    assert retention.asked == [("pin", JOB), ("unpin", JOB)]
