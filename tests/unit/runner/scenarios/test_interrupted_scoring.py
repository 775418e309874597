"""Jobs that are scored while something happens: outages, cancels, changes of labels and benchmark (SCO-2)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.domain.errors import Unavailable
from core.domain.job import JobState, Phase
from core.ports.scorer import ScorerAnswer
from scorer.manifest import manifest
from tests.process_sandbox import ProcessEngine
from tests.scored_site import CRASH, ScoredSite, scored_site
from tests.twin_runner import BENCHMARK as REPORTED
from tests.twin_runner import GOOD, TwinRunner
from tests.verified_benchmark import PERFECT

pytestmark = pytest.mark.unit


@pytest.fixture
def site(runner: TwinRunner[ProcessEngine]) -> ScoredSite:
    return scored_site(runner)


def test_an_engine_that_is_away_while_it_scores_loses_no_run(site: ScoredSite) -> None:
    """The next runner scores what is on disk; the program does not run twice."""

    def away() -> ScorerAnswer:
        raise Unavailable("The sandbox engine", "it is away")

    site.scorer.prepared = [away]
    job = site.run(PERFECT)
    assert (job.state, job.phase) == (JobState.RUNNING, Phase.SCORING)
    site.runner.sweep()
    job = site.runner.run(site.runner.claim_again())
    assert (job.state, job.ranked) == (JobState.COMPLETED, True)
    assert site.runner.log_of(job).count("begun") == 1
    site.runner.assert_nothing_left()


def test_a_cancel_while_it_scores_is_carried_out(site: ScoredSite) -> None:
    def cancelled() -> ScorerAnswer:
        site.runner.ledger.cancel(claim.job_id)
        return CRASH

    site.runner.scoring = replace(site.scoring, pauses=(1.5,))  # longer than a heartbeat
    site.runner.lease_seconds = 3.0
    site.scorer.prepared = [cancelled]
    claim = site.runner.claim(PERFECT)
    job = site.runner.run(claim)
    assert job.state is JobState.CANCELLED
    assert site.runner.results.get(job.job_id) is None
    site.runner.assert_nothing_left()


def test_labels_that_change_while_they_are_used_are_read_again(site: ScoredSite) -> None:
    """The proof names exactly what was scored against."""
    first = manifest(site.labels)

    def changed() -> ScorerAnswer:
        told = json.loads((site.labels / "labels.json").read_text())
        (site.labels / "labels.json").write_text(json.dumps(told, indent=1))
        return ScorerAnswer(exit_code=0, scores=b'{"metrics": {"pixel_auc": 0.1}}')

    site.scorer.prepared = [changed]
    found = site.result(site.run(PERFECT))
    assert found.proof is not None
    assert found.proof.labels_sha256 == manifest(site.labels) != first
    assert found.metrics["pixel_auc"] == 1.0


def test_a_run_is_scored_as_its_benchmark_said_at_the_launch(site: ScoredSite) -> None:
    """One that was launched for claims stays one when the benchmark changes meanwhile, and has no proof."""
    path = site.runner.root / "benchmarks" / "synthetic" / "benchmark.yaml"
    verified = path.read_text()
    path.write_text(REPORTED)
    change = f"import pathlib\npathlib.Path({str(path)!r}).write_text({verified!r})\n"
    job = site.run(change + GOOD)
    assert (job.state, site.result(job).proof, site.result(job).claims) == (JobState.COMPLETED, None, {})
    assert site.scorer.asked == []


def test_a_result_that_waits_for_mlflow_is_scored_once(site: ScoredSite) -> None:
    """Its score is on disk like the rest of it."""
    site.runner.tracking.away = True
    job = site.run(PERFECT)
    assert job.phase is Phase.RECORDING
    site.runner.tracking.away = False
    site.runner.ledger.release_results("here")
    job = site.runner.run(site.runner.claim_again())
    assert (job.state, job.ranked, len(site.scorer.asked)) == (JobState.COMPLETED, True, 1)
    assert site.result(job).metrics["pixel_auc"] == 1.0
    site.runner.assert_nothing_left()
