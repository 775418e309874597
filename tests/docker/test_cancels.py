"""A cancel in the middle of each step of a runner: one true end, whichever of the two comes first (R28, JOB-8)."""

from __future__ import annotations

import os
import re
import signal

import docker
import pytest

from core.domain.errors import Conflict
from core.domain.job import JobState
from tests.docker.runner_site import DEFAULTS, Site, ended, mlflow_runs, until, until_nothing_is_left
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

CANCELLED, COMPLETED = JobState.CANCELLED, JobState.COMPLETED
ENDS = {
    "claimed": CANCELLED,
    "started": CANCELLED,
    "exited": CANCELLED,
    "harvesting": CANCELLED,
    "run created": CANCELLED,
    "last line written": COMPLETED,  # its result is at MLflow, and its log says so
}


@pytest.mark.parametrize("step", ENDS)
def test_a_cancel_at_any_step_has_one_true_end(site: Site, inner: docker.DockerClient, step: str) -> None:
    """Asked twice while the runner sleeps there, before it wakes up: its log, the ledger and MLflow say the same."""
    asleep = site.root / "asleep"
    job_id = site.post(GOOD)
    trap = {"DIE_AT": step, "DIED": str(asleep), "DIE_OF": "SIGSTOP"}
    with site.runner("tests.docker.dying_runner:build", **trap, **DEFAULTS):
        until(lambda: asleep.exists() and asleep.read_text() != "", f"the runner sleeps: {step}")
        assert [cancelled(site, job_id) for _again in range(2)] == [ENDS[step] is CANCELLED] * 2
        os.kill(int(asleep.read_text()), signal.SIGCONT)
        job = ended(site, job_id)
        until_nothing_is_left(site, inner)
    assert (job.state, job.attempt) == (ENDS[step], 1), site.words()
    assert how_it_ended(site, job_id) == [job.state]
    assert mlflow_runs(site) == ([(job.run_id, "FINISHED")] if job.state is COMPLETED else [])
    assert cancelled(site, job_id) is (job.state is CANCELLED)
    assert site.ledger.get(job_id).state is job.state


def how_it_ended(site: Site, job_id: str) -> list[str]:
    """What the log says of it."""
    return re.findall("Ended: ([a-z]+)", site.log(job_id))


def cancelled(site: Site, job_id: str) -> bool:
    """Whether the ledger takes it: not once the job's result has been made final."""
    try:
        site.ledger.cancel(job_id)
    except Conflict:
        return False
    return True
