"""What a waiting job is told: that nobody takes it, or when it may start."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.domain.errors import Unavailable
from core.domain.runners import ClassFigures, RunnerReport, RunnerState
from gateway.outlook import Outlook
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit


def there(site: Site, state: RunnerState = RunnerState.READY) -> None:
    small = ClassFigures(name="small", cpus=1, memory_bytes=1, gpus="auto", timeout_seconds=1)
    since = datetime.now(UTC)
    report = RunnerReport(name="box:1", host="e", version="1", since=since, state=state, classes=(small,))
    site.ports.runners.publish(report)


def forget(site: Site) -> None:
    """What was asked a moment ago is asked again."""
    site.app.state.outlook = Outlook(job_status=site.ports.job_status, runners=site.ports.runners)


def test_a_job_that_nobody_takes_says_so(site: Site) -> None:
    """JOB-5: "pending" for days without a reason is the loudest complaint about boards."""
    job_id = site.post_job()
    there(site, RunnerState.PAUSED)
    status = site.as_("ada").get(f"/jobs/{job_id}/status").json()
    assert "No runner is ready for class small" in status["notice"]
    there(site)
    forget(site)
    assert site.as_("ada").get(f"/jobs/{job_id}/status").json()["notice"] is None


def test_a_waiting_job_has_an_estimate_once_enough_ran(site: Site) -> None:
    """Issue 5: from measured run times, null while there are too few."""
    there(site)
    for number in range(4):
        site.run(seed=number)
    job_id = site.post_job(seed=99)
    assert site.as_("ada").get(f"/jobs/{job_id}/status").json()["estimate"] is None
    site.claim()
    site.run("bob")
    waiting = site.post_job("bob", seed=100)
    forget(site)
    answer = site.as_("bob").get(f"/jobs/{waiting}/status").json()
    assert answer["queue_position"] == 1
    assert answer["estimate"]["measured_runs"] == 5
    assert answer["estimate"]["starts_in"][0] == 0
    assert site.as_("ada").get(f"/jobs/{job_id}/status").json()["estimate"] is None  # it runs


def test_a_status_never_fails_for_its_outlook(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = site.post_job()

    def away(_self: object) -> None:
        raise Unavailable("x")

    monkeypatch.setattr(type(site.ports.runners), "runners", away)
    answer = site.as_("ada").get(f"/jobs/{job_id}/status")
    assert (answer.status_code, answer.json()["notice"], answer.json()["estimate"]) == (200, None, None)


def test_readiness_tells_whether_runners_are_there(site: Site) -> None:
    """RUN-6: the API serves without them, so they are told and do not make it 503."""
    assert site.as_(None).get("/health/ready").json()["runners"] == "none ready"
    there(site)
    forget(site)
    answer = site.as_(None).get("/health/ready")
    assert (answer.status_code, answer.json()["runners"]) == (200, "1 ready")
