"""Real runners of different settings on one engine: each run is judged by what it was launched with (BOX-9)."""

from __future__ import annotations

import json
import shutil

import pytest

from core.domain.job import JobState
from core.domain.limits import SMALL
from core.domain.verdict import FailureReason
from runner.recovery.overdue import OVERDUE_SECONDS
from tests.docker.altered_runner import altered
from tests.docker.runner_site import Site, ended, kill_group, mlflow_runs, until
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

SHORT_SECONDS = 2
NOT_ASIDE = altered(runner__job__attempt__ASIDE_SECONDS=1)
RUNS_SECONDS = SHORT_SECONDS + OVERDUE_SECONDS + 5


def classes(**changes: object) -> str:
    return json.dumps([SMALL.model_copy(update=changes).model_dump()])


LONG, SHORT = classes(timeout_seconds=90), classes(timeout_seconds=SHORT_SECONDS)


def running(seconds: float) -> str:
    end = "for n in range(150): print('still here')\n" + GOOD
    return f"import time\nprint('begun', flush=True)\ntime.sleep({seconds})\n{end}"


def test_a_runner_with_a_shorter_limit_beside_it_ends_no_healthy_run(site: Site) -> None:
    """As seen: runs of a 90 s class were killed at 29 s as "stopped after 90 s", by the sweeper of another runner."""
    job_id = site.post(running(RUNS_SECONDS))
    with site.runner(RESOURCE_CLASSES=LONG):
        until(lambda: "begun" in site.log(job_id), "it runs")
        with site.runner(RESOURCE_CLASSES=SHORT):
            job = ended(site, job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), job.error_message


@pytest.mark.parametrize("change", ["a shorter limit", "a renamed class", "no benchmark", "smaller log caps"])
def test_a_run_goes_on_as_it_was_launched_when_its_runner_returns_otherwise(site: Site, change: str) -> None:
    """An admin changes a setting and restarts: what runs is not touched by it, killed runner or not."""
    job_id = site.post(running(8))
    with site.runner(RESOURCE_CLASSES=LONG) as first:
        until(lambda: "begun" in site.log(job_id), "it runs")
        kill_group(first)
    changed = {
        "a shorter limit": {"RESOURCE_CLASSES": SHORT},
        "a renamed class": {"RESOURCE_CLASSES": classes(name="tiny")},
        "no benchmark": {"RESOURCE_CLASSES": LONG},
        "smaller log caps": {"RESOURCE_CLASSES": LONG, "MAX_LOG_BYTES": "4096", "MAX_LOG_LINES": "100"},
    }[change]
    if change == "no benchmark":
        take_benchmark_off(site)
    with site.runner("tests.docker.altered_runner:build", ALTERED=NOT_ASIDE, **changed):
        job = ended(site, job_id)
        until(lambda: site.left_on_disk() == [], "its folder is gone")
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), job.error_message
    assert "still here" in site.log(job_id)


def test_a_benchmark_is_taken_off_the_site_under_a_run(site: Site) -> None:
    """Its runner lives: the run ends as it would have, and so does what is recorded of it; a new job is told."""
    job_id, second = site.post(running(4)), site.post(f"# second\n{GOOD}")
    with site.runner("tests.docker.altered_runner:build", ALTERED=NOT_ASIDE, RESOURCE_CLASSES=LONG):
        until(lambda: "begun" in site.log(job_id), "it runs")
        take_benchmark_off(site)
        first, other = ended(site, job_id), ended(site, second)
        until(lambda: site.left_on_disk() == [], "their folders are gone")
    assert (first.state, first.attempt, first.error_message) == (JobState.COMPLETED, 1, None)
    assert mlflow_runs(site) == [(first.run_id, "FINISHED")]
    assert (other.state, other.attempt, other.failure_reason) == (JobState.FAILED, 1, FailureReason.PLATFORM)
    assert site.benchmark in (other.error_message or "")


def take_benchmark_off(site: Site) -> None:
    (site.root / "benchmarks" / "another").mkdir()  # an empty folder looks like one that is not mounted
    shutil.rmtree(site.root / "benchmarks" / site.benchmark)


def test_a_run_is_stopped_at_its_own_limit_by_a_runner_that_has_a_longer_one(site: Site) -> None:
    """The message names the limit that was applied."""
    brief = classes(timeout_seconds=6)
    job_id = site.post(running(60))
    with site.runner(RESOURCE_CLASSES=brief) as first:
        until(lambda: "begun" in site.log(job_id), "it runs")
        kill_group(first)
    with site.runner(RESOURCE_CLASSES=LONG):
        job = ended(site, job_id)
    assert job.failure_reason is FailureReason.TIMEOUT
    assert "stopped after 6 s" in (job.error_message or "")
