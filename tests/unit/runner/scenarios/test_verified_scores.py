"""Jobs of a benchmark that the platform scores itself, with a scorer in this process (SCO-2, DOR-3)."""

from __future__ import annotations

import pytest

from core.domain.job import JobState
from core.domain.limits import UserLimits
from core.domain.verdict import FailureReason
from core.ports.scorer import ScorerAnswer
from runner.scoring.scoring import NoScoring
from scorer import VERSION
from scorer.manifest import manifest
from tests.process_sandbox import ProcessEngine
from tests.scored_site import CRASH, ScoredSite, scored_site
from tests.twin_runner import GOOD, TwinRunner
from tests.verified_benchmark import PERFECT, PROGRAM, RANDOM, SECRET

pytestmark = pytest.mark.unit
TRIED = """
import json, os, pathlib, sys
out, data = pathlib.Path(sys.argv[4]) / "predictions", pathlib.Path(os.environ["LEADERSBOARD_DATA"])
out.mkdir()
ids = json.loads((data / "ids.json").read_text())["dots"]
assert sorted(ids) == sorted(path.stem for path in (data / "dots" / "test").iterdir()), ids
(out / "scores.json").write_text(json.dumps(dict.fromkeys(ids, 0.5)))
"""


@pytest.fixture
def site(runner: TwinRunner[ProcessEngine]) -> ScoredSite:
    return scored_site(runner)


def test_the_platforms_numbers_count_and_are_sealed_with_their_proof(site: ScoredSite) -> None:
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


def test_a_perfect_claim_with_random_maps_counts_as_what_it_is(site: ScoredSite) -> None:
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
def test_bad_predictions_fail_in_words_that_name_the_first_files(site: ScoredSite, more: str, words: str) -> None:
    job = site.run(PROGRAM + more)
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.BAD_PREDICTIONS)
    assert (job.error_message or "").startswith("The predictions were refused. ")
    assert words in (job.error_message or "")
    assert len(site.scorer.asked) == 1
    assert site.runner.ledger.allowance("ann", UserLimits(jobs_per_hour=5)).remaining == 4
    site.runner.assert_nothing_left()


@pytest.mark.parametrize("program", [GOOD, "import sys, os; os.mkdir(sys.argv[4] + '/predictions')", "print('done')"])
def test_no_predictions_are_told_with_their_place(site: ScoredSite, program: str) -> None:
    """Whatever it claims: nobody can score it."""
    job = site.run(program)
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.NO_PREDICTIONS)
    assert "os.path.join(args.output, 'predictions', 'scores.json')" in (job.error_message or "")


def test_what_the_predictions_do_not_allow_to_compute_is_told(site: ScoredSite) -> None:
    """Scores alone rank no picture's pixels; what the submission wrote is not asked for."""
    job = site.run(PROGRAM + "(out / 'scores.json').write_text(json.dumps(dict.fromkeys(ids, 0.5)))\nclaim(0.9)")
    assert (job.state, job.ranked) == (JobState.COMPLETED, False)
    assert job.unranked_because == "pixel_auc is missing among what the scorer could compute from the predictions"
    assert site.result(job).metrics["image_auc"] == 0.5


def test_a_folder_in_the_place_of_the_platforms_list_breaks_nothing(site: ScoredSite) -> None:
    """The list is sealed by its hash, which is the one of the proof."""
    found = site.result(site.run(PERFECT + "os.makedirs(out.parent / 'predictions.sha256' / 'x')"))
    (listed,) = [file for file in found.files if file.path.startswith("predictions.sha256")]
    assert found.proof is not None
    assert listed.sha256 == found.proof.predictions_sha256


def test_a_bad_metrics_file_costs_only_its_claims(site: ScoredSite) -> None:
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
def test_a_scorer_that_fails_is_nobodys_fault_but_the_platforms(
    site: ScoredSite, answer: ScorerAnswer, shown: str
) -> None:
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


def test_a_scorer_that_fails_once_costs_nothing(site: ScoredSite) -> None:
    site.scorer.prepared = [CRASH]
    job = site.run(PERFECT)
    assert (job.state, job.ranked, site.result(job).metrics["pixel_auc"]) == (JobState.COMPLETED, True, 1.0)


def test_missing_labels_and_a_runner_without_a_scorer_are_told(site: ScoredSite) -> None:
    (site.labels / "labels.json").rename(site.runner.root / "elsewhere")
    site.labels.rename(site.runner.root / "gone")
    job = site.run(PERFECT)
    assert "the labels of this benchmark cannot be read" in (job.unranked_because or "")
    site.runner.scoring = NoScoring()
    assert "this runner has no scorer" in (site.run(PERFECT + "\n").unranked_because or "")


def test_a_trial_is_not_scored_and_its_predictions_are_looked_for(site: ScoredSite) -> None:
    """Few pictures have no score; labels could be found out by trials that cost nothing."""
    job = site.run(TRIED, trial=True)
    assert (job.state, job.ranked, site.scorer.asked) == (JobState.COMPLETED, None, [])
    assert any("A trial is not scored" in note for note in job.notes)
    job = site.run(GOOD, trial=True)
    assert job.failure_reason is FailureReason.NO_PREDICTIONS


def test_labels_of_another_task_bring_their_own_program(site: ScoredSite) -> None:
    (site.labels / "score.py").write_text("print('hello')")
    site.scorer.prepared = [ScorerAnswer(exit_code=0, scores=b'{"version": "mine 3", "metrics": {"pixel_auc": 0.5}}')]
    proof = site.result(site.run(PERFECT)).proof
    assert proof is not None
    assert (site.scorer.asked[0].own_program, proof.scorer) == (True, "mine 3")
