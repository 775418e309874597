"""Results that are computed anew from the predictions that MLflow keeps: both values stay (SCO-5)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.job import JobState
from core.domain.sealed_result import SealedResult
from core.ports.scorer import ScorerAnswer
from core.ports.tracking import Result, RunRef
from runner.recovery.rescores import Rescores
from tests.process_sandbox import ProcessEngine
from tests.scored_site import ScoredSite, scored_site
from tests.twin_runner import TwinRunner
from tests.twins.tracking import MemoryTracking
from tests.verified_benchmark import PERFECT, RANDOM

pytestmark = pytest.mark.unit
MAP = "predictions/maps/17ac.npy"


@dataclass
class KeepingTracking(MemoryTracking):
    """Keeps the files of each run, as MLflow does."""

    kept: Path = field(default=Path())

    def record(self, result: Result, **options: Any) -> RunRef:
        copy = self.kept / result.job.job_id
        shutil.copytree(result.artifacts or self.kept, copy, dirs_exist_ok=True)
        return super().record(replace(result, artifacts=copy), **options)


@pytest.fixture
def site(runner: TwinRunner[ProcessEngine], tmp_path: Path) -> ScoredSite:
    runner.tracking = KeepingTracking(kept=tmp_path / "mlflow")
    return scored_site(runner)


def rescored(site: ScoredSite, job: Any) -> SealedResult:
    """The result after somebody has asked, and the sweeper has had its turn."""
    site.runner.results.ask_rescore(job.job_id)
    rescores_of(site).one()
    assert not (site.runner.root / "jobs" / ".rescores").exists()
    return site.result(job)


def rescores_of(site: ScoredSite) -> Rescores:
    context = site.runner.context()
    return Rescores(
        ports=context.ports, scoring=context.scoring, job_root=context.job_root, site="test",
        stopping=context.stopping,
    )  # fmt: skip


def flip(site: ScoredSite) -> None:
    """One picture was labelled wrongly: it is normal."""
    path = site.labels / "labels.json"
    told = json.loads(path.read_text())
    row = told["categories"]["dots"][0]
    row["anomalous"] = False
    del row["mask"]
    (site.labels / "masks" / f"{row['id']}.png").unlink()
    path.write_text(json.dumps(told))


def test_a_corrected_label_gives_another_score_and_both_are_kept(site: ScoredSite) -> None:
    job = site.run(PERFECT)
    before = site.result(job)
    flip(site)
    found = rescored(site, job)
    assert found.metrics["pixel_auc"] < before.metrics["pixel_auc"] == 1.0
    assert [one.metrics for one in found.earlier] == [before.metrics]
    assert before.proof is not None
    assert found.proof is not None
    assert found.earlier[0].labels_sha256 == before.proof.labels_sha256 != found.proof.labels_sha256
    assert found.proof.predictions_sha256 == before.proof.predictions_sha256
    row = found.entry(found.ended_at)
    assert (row.metrics["pixel_auc"], row.is_rescored) == (found.metrics["pixel_auc"], True)
    assert site.runner.engine.runs() == set()


def test_of_many_values_the_first_and_the_last_before_are_kept(site: ScoredSite) -> None:
    job = site.run(PERFECT)
    for value in (0.1, 0.2, 0.3):
        scores = json.dumps({"metrics": {"pixel_auc": value}}).encode()
        site.scorer.prepared = [ScorerAnswer(exit_code=0, scores=scores)]
        found = rescored(site, job)
    assert (found.metrics, [one.metrics["pixel_auc"] for one in found.earlier]) == ({"pixel_auc": 0.3}, [1.0, 0.2])


def test_a_run_that_could_not_be_scored_is_ranked_without_running_again(site: ScoredSite) -> None:
    """The labels were broken, and are mended."""
    site.scorer.prepared = [ScorerAnswer(exit_code=4, words="broken")] * 3
    job = site.run(RANDOM)
    assert (job.state, job.ranked) == (JobState.COMPLETED, False)
    found = rescored(site, job)
    assert 0.2 < found.metrics["pixel_auc"] < 0.8
    assert found.claims == {"pixel_auc": 1.0, "image_auc": 1.0}
    assert (found.entry(found.ended_at).is_verified, found.earlier[0].metrics) == (True, {})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda kept, _site: (kept / MAP).write_bytes(b"other"), "was changed in MLflow"),
        (lambda kept, _site: (kept / MAP).unlink(), "There is no artifact"),
        (lambda kept, _site: (kept / "predictions.sha256").write_bytes(b""), "was changed in MLflow"),
        (lambda _kept, site: shutil.rmtree(site.labels), "cannot be read"),
        (lambda _kept, site: (site.labels / "labels.json").write_text("{"), "labels of this benchmark are wrong"),
    ],
    ids=["changed", "gone", "list changed", "no labels", "wrong labels"],
)  # fmt: skip
def test_what_cannot_be_scored_again_stays_and_an_admin_reads_why(
    site: ScoredSite, spoil: Callable[[Path, ScoredSite], object], words: str
) -> None:
    job = site.run(PERFECT)
    before = site.result(job)
    spoil(site.runner.root / "mlflow" / job.job_id, site)
    assert rescored(site, job) == before
    (letter,) = site.runner.dead_letters.page().letters
    assert (letter.failure.step, words in letter.failure.message) == ("rescore", True)
    assert letter.failure.job_id == job.job_id
    assert site.runner.results.take_rescore(1) is None


def test_a_tracking_server_that_is_away_is_waited_for(site: ScoredSite) -> None:
    job = site.run(PERFECT)
    flip(site)
    site.runner.tracking.away = True
    assert rescored(site, job).earlier == ()
    site.runner.tracking.away = False
    rescores_of(site).one()
    assert len(site.result(job).earlier) == 1
    site.runner.results.ask_rescore("f" * 32)
    rescores_of(site).one()
    assert site.runner.results.take_rescore(1) is None
