"""EnqueueJob: rules, rights and the order of steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import structlog

from core.domain.errors import InvalidInput, LimitReached, NotFound, Unavailable
from core.domain.job import JobState
from core.domain.limits import UserLimits
from tests.builders import job_id
from tests.unit.core.usecase_site import BOB, ROOT, Site

pytestmark = pytest.mark.unit


def test_a_job_is_recorded_and_rung(site: Site) -> None:
    """JOB-1: pending, with the defaults, and one ring of its class's bell."""
    found = site.enqueue()
    assert found.created
    assert (found.job.state, found.job.resource_class, found.job.benchmark) == ("pending", "small", "synthetic")
    assert site.ports.job_queue.rings == {"small": 1}


def test_the_rest_of_the_configuration_are_overrides(site: Site) -> None:
    """JOB-1: class and benchmark are taken out, everything else reaches the run as it is."""
    config = {"resource_class": "medium", "benchmark": "synthetic", "epochs": 3, "deep": {"a": [1, None]}}
    found = site.enqueue(config=config)
    assert found.job.resource_class == "medium"
    assert found.job.overrides == {"epochs": 3, "deep": {"a": [1, None]}}
    assert config["resource_class"] == "medium"


def test_the_same_request_is_the_same_job(site: Site) -> None:
    """JOB-2: also when the defaults are named; a key makes a second one."""
    first = site.enqueue()
    again = site.enqueue(config={"benchmark": "synthetic", "resource_class": "small"})
    assert (again.created, again.job.job_id) == (False, first.job.job_id)
    assert site.enqueue(idempotency_key="second").job.job_id != first.job.job_id


def test_an_ended_job_is_answered_and_not_rung_again(site: Site) -> None:
    """JOB-2: the same request after the end answers that end."""
    ended = site.finish()
    rings = dict(site.ports.job_queue.rings)
    found = site.enqueue()
    assert (found.job.job_id, found.job.state) == (ended, JobState.COMPLETED)
    assert site.ports.job_queue.rings == rings


def test_a_broken_bell_loses_no_job(site: Site) -> None:
    """R8: once recorded, the job is accepted; the sweeper rings for it."""

    class Broken:
        def ring(self, _resource_class: str) -> None:
            raise Unavailable("The job queue")

    with structlog.testing.capture_logs() as logs:
        found = site.enqueue(job_queue=Broken())
    assert site.ports.job_status.get(found.job.job_id).state is JobState.PENDING
    assert [line["event"] for line in logs] == ["doorbell not rung"]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"resource_class": "huge"}, "config.resource_class"),
        ({"resource_class": None}, "config.resource_class"),
        ({"resource_class": ["small"]}, "config.resource_class"),
        ({"resource_class": {"name": "small"}}, "config.resource_class"),
        ({"benchmark": "../synthetic"}, "config.benchmark"),
        ({"benchmark": ""}, "config.benchmark"),
        ({"benchmark": {}}, "config.benchmark"),
        ({"a": float("nan")}, "config"),
        ({"a": float("inf")}, "config"),
        ({"a": "\ud800"}, "config"),
        ({"\ud800": 1}, "config"),
        ({"a": "x" * 17_000}, "config"),
        ({"a": "é" * 9_000}, "config"),
    ],
)
def test_a_bad_configuration_names_its_field(site: Site, config: dict[str, Any], field: str) -> None:
    """SUB-2's rule for jobs: the field and what is allowed; nothing is recorded."""
    with pytest.raises(InvalidInput) as caught:
        site.enqueue(config=config)
    assert [fault.field for fault in caught.value.faults] == [field]
    assert site.ports.job_status.pending("small") == 0


def test_all_faults_of_a_configuration_come_at_once(site: Site) -> None:
    """One answer names them all."""
    with pytest.raises(InvalidInput) as caught:
        site.enqueue(config={"resource_class": "huge", "benchmark": "none", "a": float("nan")})
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("levels", [21, 500, 900, 960, 2000, 5000])
def test_a_bottomless_configuration_is_refused(site: Site, levels: int) -> None:
    """Nesting that somebody further down could not write again is refused at the door."""
    value: Any = 1
    for _level in range(levels):
        value = [value]
    with pytest.raises(InvalidInput):
        site.enqueue(config={"a": value})


def test_a_site_without_benchmarks_says_so(site: Site, tmp_path: Path) -> None:
    """The rule tells what is offered, also when that is nothing."""
    (tmp_path / "benchmarks" / "synthetic" / "benchmark.yaml").unlink()
    with pytest.raises(InvalidInput, match="no benchmark yet"):
        site.enqueue()


def test_somebody_elses_submission_does_not_exist(site: Site) -> None:
    """JOB-10: the same answer as for an unknown one; an admin may run it, as their own job."""
    messages = []
    for submission_id in (site.submission_id, job_id(5)):
        with pytest.raises(NotFound) as caught:
            site.enqueue(BOB, submission_id=submission_id)
        messages.append(str(caught.value).replace(submission_id, "…"))
    assert messages[0] == messages[1]
    assert site.enqueue(ROOT).job.user_id == "root"


def test_limits_are_the_ledgers_to_count(site: Site) -> None:
    """JOB-4: the third job of a limit of two is refused, and the same request again is not."""
    limits = UserLimits(jobs_per_hour=2)
    for number in range(2):
        site.enqueue(config={"n": number}, limits=limits)
    with pytest.raises(LimitReached):
        site.enqueue(config={"n": 2}, limits=limits)
    assert not site.enqueue(config={"n": 1}, limits=limits).created


def test_a_users_running_job_refuses_or_queues_the_next(site: Site) -> None:
    """JOB-4: MAX_CONCURRENT_RUNNING, unless the site lets jobs wait."""
    site.enqueue()
    site.run()
    with pytest.raises(LimitReached):
        site.enqueue(config={"n": 1})
    assert site.enqueue(config={"n": 1}, limits=UserLimits(queue_when_over=True)).created
