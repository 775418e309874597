"""Jobs of a benchmark that the platform scores itself, with a scorer in this process (SCO-2, DOR-3)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.job import JobState, Phase
from core.domain.limits import UserLimits
from core.domain.sealed_result import SealedResult
from core.domain.verdict import FailureReason
from core.ports.scorer import ScorerAnswer
from runner.scoring.labels_folder import LabelsFolder
from runner.scoring.scoring import NoScoring, Scoring
from scorer import VERSION
from scorer.manifest import manifest
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import BENCHMARK as REPORTED
from tests.twin_runner import GOOD, TwinRunner
from tests.twins.scorer import MemoryScorer
from tests.verified_benchmark import PERFECT, PROGRAM, RANDOM, SECRET, write_benchmark

pytestmark = pytest.mark.unit
TRIED = """
import json, os, pathlib, sys
out, data = pathlib.Path(sys.argv[4]) / "predictions", pathlib.Path(os.environ["LEADERSBOARD_DATA"])
out.mkdir()
ids = json.loads((data / "ids.json").read_text())["dots"]
assert sorted(ids) == sorted(path.stem for path in (data / "dots" / "test").iterdir()), ids
(out / "scores.json").write_text(json.dumps(dict.fromkeys(ids, 0.5)))
"""
CRASH = ScorerAnswer(exit_code=1, words=f"Traceback …\nKeyError: {SECRET}")


@dataclass
class Site:
    """A runner, its scorer, and the folder of labels."""

    runner: TwinRunner[ProcessEngine]
    scorer: MemoryScorer
    labels: Path
    scoring: Scoring

    def run(self, program: str, **options: Any) -> Any:
        return self.runner.run(self.runner.claim(program, **options))

    def result(self, job: Any) -> SealedResult:
        recorded = self.runner.results.get(job.job_id)
        assert recorded is not None
        return recorded.result


@pytest.fixture
def site(runner: TwinRunner[ProcessEngine]) -> Site:
    labels = write_benchmark(runner.root / "benchmarks", runner.root / "labels", "synthetic")
    scorer = MemoryScorer()
    scoring = Scoring(scorer=scorer, labels=LabelsFolder(root=runner.root / "labels"), image="ours", pauses=(0.0, 0.0))
    runner.scoring = scoring
    return Site(runner, scorer, labels, scoring)


def test_the_platforms_numbers_count_and_are_sealed_with_their_proof(site: Site) -> None:
    """No metrics.json is needed; hashes of predictions and labels, categories and the scorer's version are kept."""
    job = site.run(PERFECT)
    found = site.result(job)
    assert (job.state, job.ranked, job.error_message) == (JobState.COMPLETED, True, None)
    assert (found.metrics["pixel_auc"], found.claims) == (1.0, {})
    assert found.proof is not None
    assert (found.proof.scorer, found.proof.labels_sha256) == (VERSION, manifest(site.labels))
    assert len(found.proof.predictions_sha256) == 64
    assert found.proof.categories["dots"]["pixel_auc"] == 1.0
    assert found.tags["leadersboard.labels_sha256"] == found.proof.labels_sha256
    assert site.scorer.asked[0].image == "ours"
    assert "Scoring the predictions: 8 files." in site.runner.log_of(job)
    site.runner.assert_nothing_left()


def test_a_perfect_claim_with_random_maps_counts_as_what_it_is(site: Site) -> None:
    """The claim is kept as one, also at the tracking server under another name, and no board ranks by it."""
    job = site.run(RANDOM)
    found, (_ref, recorded) = site.result(job), site.runner.tracking.results[job.job_id]
    assert found.claims == {"pixel_auc": 1.0, "image_auc": 1.0}
    assert 0.2 < found.metrics["pixel_auc"] < 0.8
    assert recorded.all_metrics["claimed/pixel_auc"] == 1.0
    assert recorded.all_metrics["pixel_auc"] == found.metrics["pixel_auc"]
    assert recorded.all_metrics == found.all_metrics
    assert "claimed/pixel_auc" not in found.entry(found.ended_at).metrics
    assert (found.method, found.entry(found.ended_at).is_verified) == ("dots", True)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("write(ids[0], np.zeros((16, 16)))", "2b09"),
        ("[write(name, np.zeros((16, 16))) for name in [*ids, 'other']]", "other"),
        ("[write(name, np.full((16, 16), np.nan)) for name in ids]", "17ac"),
        ("[write(name, np.zeros((99, 99))) for name in ids]", "17ac"),
    ],
    ids=["missing", "extra", "NaN", "size"],
)
def test_bad_predictions_fail_in_words_that_name_the_first_files(site: Site, more: str, words: str) -> None:
    job = site.run(PROGRAM + more)
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.BAD_PREDICTIONS)
    assert (job.error_message or "").startswith("The predictions were refused. ")
    assert words in (job.error_message or "")
    assert len(site.scorer.asked) == 1
    assert site.runner.ledger.allowance("ann", UserLimits(jobs_per_hour=5)).remaining == 4
    site.runner.assert_nothing_left()


@pytest.mark.parametrize("program", [GOOD, "import sys, os; os.mkdir(sys.argv[4] + '/predictions')", "print('done')"])
def test_no_predictions_are_told_with_their_place(site: Site, program: str) -> None:
    """Whatever it claims: nobody can score it."""
    job = site.run(program)
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.NO_PREDICTIONS)
    assert "os.path.join(args.output, 'predictions', 'scores.json')" in (job.error_message or "")


def test_a_bad_metrics_file_costs_only_its_claims(site: Site) -> None:
    job = site.run(PERFECT + "\n(out.parent / 'metrics.json').write_text('{')\n")
    assert (job.state, job.ranked) == (JobState.COMPLETED, True)
    assert any("not valid JSON" in note and "Only its claims are lost." in note for note in job.notes)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (CRASH, "it ended with exit code 1"),
        (ScorerAnswer(exit_code=4, words=SECRET), "the labels of this benchmark are wrong"),
        (ScorerAnswer(exit_code=137, out_of_memory=True), "it needed more memory than scorers get"),
        (ScorerAnswer(exit_code=137, timed_out=True), "it took too long and was stopped"),
        (ScorerAnswer(exit_code=0), "its answer cannot be used"),
        (ScorerAnswer(exit_code=0, scores=b'{"metrics": {"pixel_auc": 1.5}}'), "its answer cannot be used"),
    ],
)
def test_a_scorer_that_fails_is_nobodys_fault_but_the_platforms(site: Site, answer: ScorerAnswer, shown: str) -> None:
    """It is tried three times; then the run is kept unranked, its place given back, and only an admin told why."""
    site.scorer.prepared = [answer] * 3
    job = site.run(RANDOM)
    log = site.runner.log_of(job)
    assert (job.state, job.ranked, job.attempt) == (JobState.COMPLETED, False, 1)
    assert shown in (job.unranked_because or "")
    assert (log.count("It tries again."), SECRET in log) == (2, False)
    assert site.runner.ledger.allowance("ann", UserLimits(jobs_per_hour=5)).remaining == 5
    found = site.result(job)
    assert (found.metrics, found.claims["pixel_auc"], found.proof) == ({}, 1.0, None)
    assert any(file.path == "predictions/maps/17ac.npy" for file in found.files)
    (letter,) = site.runner.dead_letters.page().letters
    assert (letter.failure.step, letter.count) == ("score", 3)
    assert SECRET in letter.failure.message or not answer.words


def test_a_scorer_that_fails_once_costs_nothing(site: Site) -> None:
    site.scorer.prepared = [CRASH]
    job = site.run(PERFECT)
    assert (job.state, job.ranked, site.result(job).metrics["pixel_auc"]) == (JobState.COMPLETED, True, 1.0)


def test_missing_labels_and_a_runner_without_a_scorer_are_told(site: Site) -> None:
    (site.labels / "labels.json").rename(site.runner.root / "elsewhere")
    site.labels.rename(site.runner.root / "gone")
    job = site.run(PERFECT)
    assert "the labels of this benchmark cannot be read" in (job.unranked_because or "")
    site.runner.scoring = NoScoring()
    assert "this runner has no scorer" in (site.run(PERFECT + "\n").unranked_because or "")


def test_an_engine_that_is_away_while_it_scores_loses_no_run(site: Site) -> None:
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


def test_a_cancel_while_it_scores_is_carried_out(site: Site) -> None:
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


def test_labels_that_change_while_they_are_used_are_read_again(site: Site) -> None:
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


def test_a_run_is_scored_as_its_benchmark_said_at_the_launch(site: Site) -> None:
    """One that was launched for claims stays one when the benchmark changes meanwhile, and has no proof."""
    path = site.runner.root / "benchmarks" / "synthetic" / "benchmark.yaml"
    verified = path.read_text()
    path.write_text(REPORTED)
    change = f"import pathlib\npathlib.Path({str(path)!r}).write_text({verified!r})\n"
    job = site.run(change + GOOD)
    assert (job.state, site.result(job).proof, site.result(job).claims) == (JobState.COMPLETED, None, {})
    assert site.scorer.asked == []


def test_a_trial_is_not_scored_and_its_predictions_are_looked_for(site: Site) -> None:
    """Few pictures have no score; labels could be found out by trials that cost nothing."""
    job = site.run(TRIED, trial=True)
    assert (job.state, job.ranked, site.scorer.asked) == (JobState.COMPLETED, None, [])
    assert any("A trial is not scored" in note for note in job.notes)
    job = site.run(GOOD, trial=True)
    assert job.failure_reason is FailureReason.NO_PREDICTIONS


def test_labels_of_another_task_bring_their_own_program(site: Site) -> None:
    (site.labels / "score.py").write_text("print('hello')")
    site.scorer.prepared = [ScorerAnswer(exit_code=0, scores=b'{"version": "mine 3", "metrics": {"pixel_auc": 0.5}}')]
    proof = site.result(site.run(PERFECT)).proof
    assert proof is not None
    assert (site.scorer.asked[0].own_program, proof.scorer) == (True, "mine 3")
