"""The real runner process (`dramatiq runner.main:build`) on real Redis and the real engine: it starts, stops, dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import docker
import pytest
import redis
from docker.models.containers import Container

from core.domain.job import JobState
from core.domain.limits import SMALL
from core.domain.verdict import FailureReason
from tests.docker.altered_runner import altered
from tests.docker.runner_site import (
    DEFAULTS,
    LINES,
    PATIENCE_SECONDS,
    SLOW,
    Site,
    ended,
    kill_group,
    lines_of,
    living,
    until,
)
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

BRIEF = SMALL.model_copy(update={"timeout_seconds": 20})
AT_ONCE_SECONDS = 100
"""Less than any of the waits that are not to happen, and many times what it takes."""
LONG_LEASE = DEFAULTS | {"LEASE_SECONDS": "300"}
LONG_GRACE = altered(runner__main__STOP_GRACE_SECONDS=300)


def test_a_ring_starts_the_job_and_mlflow_has_its_run(site: Site) -> None:
    """The process hears, claims, runs and records; one job at a time, in order."""
    ids = [site.post(GOOD + f"# {number}\n") for number in range(2)]
    with site.runner():
        jobs = [ended(site, job_id) for job_id in ids]
    assert [job.state for job in jobs] == [JobState.COMPLETED, JobState.COMPLETED]
    assert all(job.run_id for job in jobs)
    first, second = jobs
    assert first.finished_at is not None
    assert second.started_at is not None
    assert first.finished_at <= second.started_at


def test_a_lost_ring_is_rung_again(site: Site, redis_client: redis.Redis) -> None:
    """The ledger is the truth: without any message the sweeper finds the waiting job."""
    job_id = site.post(GOOD)
    redis_client.delete("dramatiq:jobs.small", "dramatiq:jobs.small.msgs")
    with site.runner():
        assert ended(site, job_id).state is JobState.COMPLETED


def test_a_busy_worker_keeps_no_bell_from_an_idle_one(site: Site) -> None:
    """R22: beside a long job each short one starts at once, with no sweeper to ring again."""
    with site.runner(processes=2, SWEEP_SECONDS="600"):
        until(lambda: site.words().count('"event": "canary"') == 2, "both workers are ready")
        long = site.post("import time\nprint('begun', flush=True)\ntime.sleep(40)\n" + GOOD, "ann")
        until(lambda: "begun" in site.log(long), "the long job runs")
        for number in range(6):
            assert ended(site, site.post(GOOD + f"# {number}\n", "bob")).state is JobState.COMPLETED
        assert not site.ledger.get(long).is_final
        site.ledger.cancel(long)
        assert ended(site, long).state is JobState.CANCELLED


def test_a_killed_runner_costs_nothing(site: Site, inner: docker.DockerClient) -> None:
    """REL-2: the container goes on, and the next runner is at its log at once, whatever is left of the lease.

    No line of the log is lost or doubled.
    """
    job_id = site.post(SLOW.replace("0.2", "0.3"))
    with site.runner(**LONG_LEASE) as first:
        until(lambda: "line 5" in site.log(job_id), "the job runs")
        kill_group(first)
    container = run_of(inner, job_id)
    with site.runner(**LONG_LEASE):
        until(lambda: site.words().count("Worker process is ready") == 2, "the next one is there")
        seen, since = site.log(job_id), time.monotonic()
        until(lambda: site.log(job_id) != seen or "line 29" in seen, "its log goes on")
        assert time.monotonic() - since < AT_ONCE_SECONDS
        container.reload()
        assert container.status == "running"
        assert_whole_in_one_attempt(site, job_id)
        until(lambda: site.left_on_disk() == [], "its folder is gone")


def test_a_sleeping_runner_is_followed_when_its_lease_is_over(site: Site, inner: docker.DockerClient) -> None:
    """REL-2 at its slowest: only the lease tells that it does nothing. Its job's log goes on when that is over."""
    job_id = site.post(SLOW.replace("0.2", "1.5"))
    with site.runner(**DEFAULTS) as sleeper:
        until(lambda: "line 0" in site.log(job_id), "the job runs")
        container = run_of(inner, job_id)
        os.killpg(sleeper.pid, signal.SIGSTOP)
        seen = site.log(job_id)
        with site.runner(**DEFAULTS):
            until(lambda: site.log(job_id) != seen, "its log goes on")
            container.reload()
            assert container.status == "running"
            site.ledger.cancel(job_id)  # the rest of it would show no more
            assert ended(site, job_id).attempt == 1
    lines = lines_of(site.log(job_id))
    assert lines == LINES[: len(lines)]


def test_the_deadline_counts_from_the_first_start(site: Site) -> None:
    """JOB-6: a run that passes its time-out while no runner lives has failed of that when one is back, and stays so."""
    site.environment["RESOURCE_CLASSES"] = json.dumps([BRIEF.model_dump()])
    job_id = site.post("import time\nprint('begun', flush=True)\ntime.sleep(60)\n" + GOOD)
    with site.runner() as first:
        until(lambda: "begun" in site.log(job_id), "the job runs")
        begun = time.monotonic()
        kill_group(first)
    time.sleep(max(0.0, begun + BRIEF.timeout_seconds - time.monotonic()))
    with site.runner():
        until(lambda: "run taken over" in site.words(), "the next runner has it")
        since = time.monotonic()
        job = ended(site, job_id)
        assert time.monotonic() - since < BRIEF.timeout_seconds
        until(lambda: site.left_on_disk() == [], "its folder is gone")
    assert (job.state, job.failure_reason, job.attempt) == (JobState.FAILED, FailureReason.TIMEOUT, 1)
    assert (site.log(job_id).count("begun"), site.ledger.pending("small")) == (1, 0)


def test_a_runner_that_is_asked_to_stop_lets_a_short_job_end(site: Site) -> None:
    """RUN-3: it takes no more jobs, finishes what it holds if that soon ends, and exits cleanly."""
    job_id = site.post(SLOW)
    waiting = site.post(GOOD + "# second\n")
    with site.runner() as process:
        until(lambda: "begun" in site.log(job_id), "the job runs")
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert site.ledger.get(job_id).state is JobState.COMPLETED
    assert site.ledger.get(waiting).state is JobState.PENDING


def test_a_runner_that_is_asked_to_stop_hands_a_long_run_over(site: Site) -> None:
    """RUN-3: after its grace the run goes on by itself, and the next runner finishes it: one attempt, the whole log."""
    job_id = site.post(SLOW.replace("0.2", "0.6"))
    with site.runner() as process:
        until(lambda: "begun" in site.log(job_id), "the job runs")
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert (site.ledger.get(job_id).state, site.ledger.get(job_id).attempt) == (JobState.RUNNING, 1)
    assert "stopping" in site.log(job_id)
    with site.runner():
        job = ended(site, job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)
    assert lines_of(site.log(job_id)) == LINES


def test_a_second_signal_ends_a_runner_at_once(site: Site, inner: docker.DockerClient) -> None:
    """RUN-3: without its grace and without the run, which the next runner finishes: one attempt, the whole log."""
    job_id = site.post(SLOW.replace("0.2", "0.5"))
    with site.runner("tests.docker.altered_runner:build", ALTERED=LONG_GRACE) as process:
        until(lambda: "line 3" in site.log(job_id), "the job runs")
        container = run_of(inner, job_id)
        process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5)
        process.terminate()
        process.wait(AT_ONCE_SECONDS)
        assert living(process.pid) == []
    container.reload()
    assert container.status == "running"
    with site.runner():
        assert_whole_in_one_attempt(site, job_id)


def run_of(inner: docker.DockerClient, job_id: str) -> Container:
    """The one container in which the job's program runs."""
    labels = [f"leadersboard.job={job_id}", "leadersboard.role=job"]
    (found,) = inner.containers.list(filters={"label": labels}, ignore_removed=True)
    return found


def assert_whole_in_one_attempt(site: Site, job_id: str) -> None:
    job = ended(site, job_id)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), site.words()
    assert lines_of(site.log(job_id)) == LINES
