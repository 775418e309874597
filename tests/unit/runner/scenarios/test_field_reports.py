"""Reports as people write them, from the program to the job's record, its log and the recorded run."""

from __future__ import annotations

import pytest

from core.domain.job import JobState
from core.domain.verdict import FailureReason
from tests.misplaced_metrics import MISPLACED
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import TwinRunner

pytestmark = pytest.mark.unit

BOUNDED = """
name: synthetic
title: t
primary_metric: image_auc
categories: [weave]
metrics:
- {name: image_auc, minimum: 0, maximum: 1}
- {name: image_f1, minimum: 0, maximum: 1}
- {name: pixel_auc, minimum: 0, maximum: 1}
"""
WRITE = """
import json, pathlib, sys
out = pathlib.Path(sys.argv[4])
"""


@pytest.fixture
def site(runner: TwinRunner[ProcessEngine]) -> TwinRunner[ProcessEngine]:
    """A runner whose benchmark has bounds."""
    (runner.root / "benchmarks" / "synthetic" / "benchmark.yaml").write_text(BOUNDED)
    return runner


def reporting(metrics: str, params: str = "{}") -> str:
    return WRITE + f"(out / 'metrics.json').write_text(json.dumps({{'params': {params}, 'metrics': {metrics}}}))"


CASES = {
    "23 numpy scalars as text": (
        "{'image_auc': 'tensor(0.9)', 'pixel_auc': 0.5}",
        {"pixel_auc": 0.5},
        """metrics['image_auc'] = "tensor(0.9)" was left out: it is text. Write a number: float(x)""",
        "image_auc is missing: 'image_auc' was left out, since it is text.",
    ),
    "25 null": (
        "{'image_auc': 0.9, 'pixel_auc': None}",
        {"image_auc": 0.9},
        "metrics['pixel_auc'] = null was left out: it is no number.",
        None,
    ),
    "25 NaN": (
        "{'image_auc': 0.9, 'pixel_auc': float('nan')}",
        {"image_auc": 0.9},
        "metrics['pixel_auc'] = NaN was left out: it is not finite.",
        None,
    ),
    "27 odd names": (
        "{'image_auc': 0.9, 'timing(s)/fit': 3.2, 'val/AR@100': 0.4}",
        {"image_auc": 0.9},
        "Call it 'val/AR_100'.",
        None,
    ),
    "29 anomalib's names": (
        "{'image_AUROC': 0.93, 'image_F1Score': 0.88}",
        {"image_AUROC": 0.93, "image_F1Score": 0.88, "image_auc": 0.93, "image_f1": 0.88},
        "image_AUROC was taken for image_auc.",
        None,
    ),
    "35 percent": (
        "{'image_auc': 93.1, 'pixel_auc': 95.0}",
        {"image_auc": 93.1, "pixel_auc": 95.0},
        "Not ranked by pixel_auc: pixel_auc 95 is out of 0..1 (percent? write 0.95).",
        "image_auc 93.1 is out of 0..1 (percent? write 0.931)",
    ),
}


@pytest.mark.parametrize(("metrics", "counted", "note", "because"), CASES.values(), ids=CASES)
def test_good_entries_count_and_the_others_are_named(
    site: TwinRunner[ProcessEngine], metrics: str, counted: dict[str, float], note: str, because: str | None
) -> None:
    """FLD-3, FLD-4: in the log's last lines and in the job's record; what is sealed is what counts."""
    job = site.run(site.claim(reporting(metrics)))
    assert (job.state, job.ranked) == (JobState.COMPLETED, because is None)
    assert (job.unranked_because or "").startswith(because or "")
    assert any(note in one for one in job.notes)
    _ref, result = site.tracking.results[job.job_id]
    assert result.metrics.metrics == counted
    assert site.ledger.results[job.job_id].metrics == counted
    word = f"Not ranked on synthetic: {job.unranked_because}." if because else "Ranked on synthetic."
    last = [f"[leadersboard] {line}" for line in (*job.notes, word, "Ended: completed")]
    assert site.log_of(job).splitlines()[-len(last) :] == last


def test_lists_in_params_are_recorded_as_text(site: TwinRunner[ProcessEngine]) -> None:
    """Field case 33: without a word, since nothing is lost."""
    job = site.run(site.claim(reporting("{'image_auc': 0.5}", "{'layers': ['layer2', 'layer3']}")))
    assert (job.state, job.notes) == (JobState.COMPLETED, ())
    assert site.ledger.results[job.job_id].params == {"layers": '["layer2", "layer3"]', "config/seed": "7"}


@pytest.mark.parametrize(("program", "words"), MISPLACED.values(), ids=MISPLACED)
def test_metrics_elsewhere_are_seen(site: TwinRunner[ProcessEngine], program: str, words: str) -> None:
    """Field case 31 and its siblings: the reason names the file and where it belongs."""
    job = site.run(site.claim(program))
    assert job.failure_reason in {FailureReason.NO_METRICS, FailureReason.BAD_METRICS}
    assert words in (job.error_message or "")
    assert (job.ranked, job.notes) == (None, ())


def test_a_benchmark_that_is_gone_loses_no_result(
    site: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLD-4: the run is recorded, and says that nothing ranks it."""
    monkeypatch.setattr("runner.job.attempt.ASIDE_SECONDS", 0.0)
    claim = site.claim(reporting("{'image_auc': 0.5}") + "; print('begun')")
    benchmark = site.root / "benchmarks" / "synthetic" / "benchmark.yaml"
    harvest = site.engine.launch

    def launch(*args: object) -> object:
        benchmark.unlink()
        return harvest(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(site.engine, "launch", launch)
    job = site.run(claim)
    assert (job.state, job.ranked) == (JobState.COMPLETED, False)
    assert job.unranked_because == "this site no longer has the benchmark"


def test_the_last_lines_are_written_once(site: TwinRunner[ProcessEngine]) -> None:
    """TRK-5: a result that had to wait is finished by another runner, which says them again if they are not there."""
    site.tracking.away = True
    claim = site.claim(reporting("{'image_auc': 0.9, 'a': None, 'b': None}"))
    site.run(claim)
    assert "was left out" not in site.storage.read_log(claim.job_id).text
    site.tracking.away = False
    site.ledger.release_results("here")
    log = site.log_of(site.run(site.claim_again()))
    assert [log.count(words) for words in ("metrics['a']", "metrics['b']", "Ranked on", "Ended:")] == [1, 1, 1, 1]
