"""Real runner processes that die, are cancelled or asked again while they score (SCO-2, SCO-5, JOB-11)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import docker
import pytest

from core.adapters.mlflow.tracking import MlflowTracking
from core.adapters.redis.results import RedisResults
from core.domain.job import JobState, Phase
from tests.docker.runner_site import Site, ended, in_engine, until, until_nothing_is_left
from tests.verified_benchmark import PERFECT, RANDOM, write_benchmark

pytestmark = pytest.mark.docker


@pytest.fixture
def verified(site: Site) -> Site:
    write_benchmark(site.root / "benchmarks", site.root / "labels", site.benchmark)
    return site


@pytest.mark.parametrize("step", ["scorer being made", "scorer running", "scored"])
def test_a_runner_killed_while_it_scores_loses_nothing(verified: Site, inner: docker.DockerClient, step: str) -> None:
    """The next runner scores what is on disk: the program ran once, the score is sealed, nothing is left."""
    died = verified.root / "died"
    job_id = verified.post(PERFECT)
    with verified.runner("tests.docker.dying_runner:build", DIE_AT=step, DIED=str(died)) as first:
        until(died.exists, f"the runner has died: {step}")
        assert verified.ledger.get(job_id).phase is Phase.SCORING
        first.wait(60)
    with verified.runner():
        job = ended(verified, job_id)
        until_nothing_is_left(verified, inner)
    assert (job.state, job.attempt, job.ranked) == (JobState.COMPLETED, 1, True), verified.log(job_id)
    assert verified.log(job_id).count("begun") == 1
    recorded = RedisResults(verified._client).get(job_id)
    assert recorded is not None
    assert recorded.result.metrics["pixel_auc"] == 1.0


def test_a_killed_scorer_is_tried_again_and_a_cancel_ends_one(verified: Site, inner: docker.DockerClient) -> None:
    labels = verified.root / "labels" / verified.benchmark
    slow = "import time\ntime.sleep(600)"
    (labels / "score.py").write_text(slow)
    job_id = verified.post(PERFECT)
    with verified.runner():
        until(lambda: any(name.startswith("scorer-") for name in in_engine(verified, inner)), "it is being scored")
        (labels / "score.py").unlink()
        for name in in_engine(verified, inner):
            if name.startswith("scorer-"):
                inner.containers.get(name).kill()
        job = ended(verified, job_id)
        assert (job.state, job.ranked) == (JobState.COMPLETED, True), verified.log(job_id)
        assert "It tries again." in verified.log(job_id)
        assert_rescored(verified, job_id, labels)
        (labels / "score.py").write_text(slow)
        job_id = verified.post(RANDOM, user="bob")
        until(lambda: any(job_id in name for name in in_engine(verified, inner) if name.startswith("scorer-")), "again")
        verified.ledger.cancel(job_id)
        assert ended(verified, job_id).state is JobState.CANCELLED
        until_nothing_is_left(verified, inner)


def assert_rescored(site: Site, job_id: str, labels: Path) -> None:
    """After two masks changed places an admin asks: both values are sealed, and MLflow shows the latest."""
    masks = labels / "masks"
    one, other = sorted(masks.iterdir())[:2]
    one.rename(masks / "kept")
    other.rename(one)
    (masks / "kept").rename(other)
    results = RedisResults(site._client)
    results.ask_rescore(job_id)
    until(lambda: bool((found := results.get(job_id)) and found.result.earlier), "it was scored again")
    recorded = results.get(job_id)
    assert recorded is not None
    assert recorded.result.metrics["pixel_auc"] < recorded.result.earlier[0].metrics["pixel_auc"] == 1.0
    with closing(MlflowTracking(site.environment["MLFLOW_TRACKING_URI"])) as tracking:

        def in_mlflow() -> float:
            return tracking.get_run(recorded.result.run_id).metrics["pixel_auc"]

        until(lambda: in_mlflow() == recorded.result.metrics["pixel_auc"], "MLflow has the latest value")
