"""kill -9 of a runner at each of its steps: the job ends once, in a true state, with its whole log (REL-2, JOB-11)."""

from __future__ import annotations

import os
import signal
from contextlib import closing

import docker
import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from core.domain.job import JobState
from tests.docker.dying_runner import STEPS
from tests.docker.runner_site import Site, ended, lines_of, until
from tests.twin_runner import GOOD

pytestmark = pytest.mark.docker

PROGRAM = "for number in range(30): print('line', number, flush=True)\n" + GOOD
LINES = [f"line {number}" for number in range(30)]
SLEEPS = [
    "launching", "volume created", "started, not noted", "exited", "reading", "harvesting", "read", "harvested",
    "run created", "last line written",
]  # fmt: skip


def runs_in_mlflow(tracking: MlflowTracking, site: Site) -> list[str]:
    """The states of all runs, open ones, too."""
    found = tracking._search(tracking._experiment(site.benchmark), "")
    return [run["info"]["status"] for run in found]


@pytest.mark.parametrize("step", STEPS)
def test_a_runner_killed_at_any_step_loses_nothing(
    site: Site, inner: docker.DockerClient, mlflow_url: str, step: str
) -> None:
    """The next runner goes on from there: completed in one attempt, one MLflow run, every line once, nothing left."""
    died = site.root / "died"
    trap = {"DIE_AT": step, "DIED": str(died)}
    job_id = site.post(PROGRAM)
    with site.runner("tests.docker.dying_runner:build", **trap) as first:
        until(died.exists, f"the runner has died: {step}")
        first.wait(60)
    with site.runner():
        assert_one_good_run(site, job_id, inner, mlflow_url)


@pytest.mark.parametrize("step", SLEEPS)
def test_a_runner_that_wakes_up_while_another_has_its_job_changes_nothing(
    site: Site, inner: docker.DockerClient, mlflow_url: str, step: str
) -> None:
    """SIGSTOP until its lease is taken: then both are at it, and it is the same as if the sleeper had died."""
    asleep = site.root / "asleep"
    trap = {"DIE_AT": step, "DIED": str(asleep), "DIE_OF": "SIGSTOP"}
    job_id = site.post(PROGRAM)
    with site.runner("tests.docker.dying_runner:build", **trap):
        until(lambda: asleep.exists() and asleep.read_text() != "", f"the runner sleeps: {step}")
        with site.runner():
            until(lambda: site.words().count('"event": "claimed"') > 1, "another runner has the job")
            os.kill(int(asleep.read_text()), signal.SIGCONT)
            assert_one_good_run(site, job_id, inner, mlflow_url)


def assert_one_good_run(site: Site, job_id: str, inner: docker.DockerClient, mlflow_url: str) -> None:
    """Completed in one attempt, and nothing of it left but what should be."""
    job = ended(site, job_id)
    until(lambda: site.left_on_disk() == [], "its folder is gone")
    label = {"label": f"leadersboard.job={job_id}"}
    until(lambda: not inner.containers.list(all=True, filters=label, ignore_removed=True), "its containers are gone")
    until(lambda: not inner.volumes.list(filters=label), "its volume is gone")
    assert job.state is JobState.COMPLETED
    assert job.attempt == 1, site.words()
    assert lines_of(site.log(job_id)) == LINES
    assert site.log(job_id).count("Ended:") == 1
    assert job.run_id is not None
    with closing(MlflowTracking(mlflow_url)) as tracking:
        assert runs_in_mlflow(tracking, site) == ["FINISHED"]
        assert {artifact.path for artifact in tracking.get_run(job.run_id).artifacts} >= {"curves/roc.png"}
