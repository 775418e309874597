"""The forecast of a waiting job: that no runner takes it, or when it may start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.estimate import Estimate
from core.domain.job import Job, JobState, Phase
from core.domain.runners import PROBING, ClassFigures, RunnerReport, RunnerState
from core.usecases.jobs import JobStanding
from gateway.live.queue_forecast import QueueForecast
from tests import builders
from tests.sites import Site
from tests.twins.runners import MemoryRunners

pytestmark = pytest.mark.unit


def ready(state: RunnerState = RunnerState.READY, reason: str | None = None) -> RunnerReport:
    small = ClassFigures(name="small", cpus=1, memory_bytes=1, gpus="auto", timeout_seconds=1)
    since = datetime.now(UTC)
    return RunnerReport(name="box:1", host="e", version="1", since=since, state=state, reason=reason, classes=(small,))


def there(site: Site, state: RunnerState = RunnerState.READY) -> None:
    site.ports.runners.publish(ready(state))


def forget(site: Site) -> None:
    """What was asked a moment ago is asked again."""
    site.state.forecast._kept.clear()


def test_a_job_that_nobody_takes_says_so(site: Site) -> None:
    """JOB-5: "pending" for days without a reason is the loudest complaint about boards."""
    job_id = site.post_job()
    there(site, RunnerState.PAUSED)
    status = site.as_("ada").get(f"/jobs/{job_id}/status").json()
    assert "No runner is ready for class small" in status["notice"]
    there(site)
    forget(site)
    assert site.as_("ada").get(f"/jobs/{job_id}/status").json()["notice"] is None


def test_a_job_that_waits_for_a_safe_engine_says_so_in_general_terms(site: Site) -> None:
    """What an attacker would like to know is for admins; a runner that has just begun is no such case."""
    job_id = site.post_job()
    reasons = {PROBING: "No runner is ready", "its engine is older than 29.5.1": "would not be safe"}
    for reason, words in reasons.items():
        site.ports.runners.publish(ready(RunnerState.REFUSED, reason))
        forget(site)
        notice = site.as_("ada").get(f"/jobs/{job_id}/status").json()["notice"]
        assert words in notice
        assert "29.5" not in notice


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


def completed(*seconds: float, **changes: Any) -> list[Job]:
    """Jobs that took so long from their start to their end."""
    known = {"state": JobState.COMPLETED, "attempt": 1, "started_at": builders.NOON}
    return [builders.job(**{**known, "finished_at": builders.later(one), **changes}) for one in seconds]


def estimated(ended: Sequence[Job], running: Sequence[Job] = ()) -> Estimate | None:
    """For the first that waits, where one runner is ready."""
    runners = MemoryRunners()
    runners.publish(ready())
    known = {JobState.COMPLETED: ended, JobState.RUNNING: running}
    ledger: Any = SimpleNamespace(list_jobs=lambda *, state, limit: SimpleNamespace(jobs=known[state][:limit]))
    forecast = QueueForecast(job_status=ledger, runners=runners)
    notice, found = forecast.of(JobStanding(job=builders.job(), queue_position=1))
    assert notice is None
    return found


def test_an_estimate_rests_on_what_was_measured_of_the_run() -> None:
    """A job that ran for a minute and then waited an hour for the tracking server took a minute."""
    found = estimated(completed(*[3660.0] * 5, peaks={"wall_seconds": 60.0}))
    assert found is not None
    assert (found.runs_for, found.measured_runs) == ((60, 60), 5)


def test_without_a_measure_the_time_from_start_to_end_counts() -> None:
    found = estimated(completed(*[90.0] * 5))
    assert found is not None
    assert found.runs_for == (90, 90)


def test_jobs_of_several_attempts_are_left_out() -> None:
    """Their time has runs in it that were lost."""
    repeated = completed(*[9000.0] * 20, attempt=2, peaks={"wall_seconds": 9000.0})
    found = estimated([*repeated, *completed(*[60.0] * 5)])
    assert found is not None
    assert (found.runs_for, found.measured_runs) == ((60, 60), 5)
    assert estimated(repeated) is None


@pytest.mark.parametrize(("phase", "latest"), [(Phase.RECORDING, 0), (Phase.RUNNING, 60)])
def test_a_result_that_waits_to_be_recorded_keeps_no_seat_busy(phase: Phase, latest: int) -> None:
    """TRK-5: with MLflow away the next job starts at once."""
    running = [builders.job(state=JobState.RUNNING, phase=phase, attempt=1)]
    found = estimated(completed(*[60.0] * 5), running)
    assert found is not None
    assert found.starts_in == (0, latest)


def test_trials_are_no_measure_of_jobs(site: Site) -> None:
    """A trial ends in a minute, so neither kind says how long the other takes."""
    there(site)
    for number in range(5):
        body = {"submission_id": site.upload(), "config": {"n": number}, "trial": True}
        site.as_("ada").post("/jobs", json=body).raise_for_status()
        site.complete()
    job = site.post_job()
    trial = site.as_("ada").post("/jobs", json={"submission_id": site.upload(), "trial": True}).json()["job_id"]
    assert site.as_("ada").get(f"/jobs/{job}/status").json()["estimate"] is None
    assert site.as_("ada").get(f"/jobs/{trial}/status").json()["estimate"]["measured_runs"] == 5
