"""A trial from its claim to its end: a few pictures, a short time, the same judgement, and nothing recorded."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from core.adapters.files.trial_files import FOLDER, KEPT_BYTES, KEPT_SECONDS
from core.domain.job import JobState
from core.domain.limits import MIB
from core.domain.verdict import FailureReason
from runner import trial_data
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner, tidy

pytestmark = pytest.mark.unit

BENCHMARK = (
    "name: synthetic\ntitle: t\nprimary_metric: image_auc\ncategories: [weave, grain, gear]\n"
    "metrics: [{name: image_auc, minimum: 0, maximum: 1}]\n"
)


@pytest.fixture
def site(runner: TwinRunner[ProcessEngine]) -> TwinRunner[ProcessEngine]:
    """A runner whose benchmark has three categories of thirty pictures."""
    folder = runner.root / "benchmarks" / "synthetic"
    (folder / "benchmark.yaml").write_text(BENCHMARK)
    for category in ("weave", "grain", "gear"):
        for place in ("train/good", "test/good", "test/tear"):
            (folder / "public" / category / place).mkdir(parents=True)
            for number in range(10):
                (folder / "public" / category / place / f"{number:03}.png").write_bytes(b"picture")
    return runner


def kept(site: TwinRunner[ProcessEngine], job_id: str) -> list[str]:
    folder = site.root / "logs" / FOLDER / job_id
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_good_trial_says_what_would_be_ranked_and_records_nothing(site: TwinRunner[ProcessEngine]) -> None:
    """Its result is sealed, its files lie beside the logs, and the tracking server never heard of it."""
    job = site.run(site.claim(GOOD, trial=True))
    assert (job.state, job.trial, job.ranked, job.run_id, job.begun_run) == (JobState.COMPLETED, True, True, None, None)
    assert site.tracking.results == {}
    assert site.ledger.runs == {}
    found = site.results.get(job.job_id)
    assert found is not None
    assert (found.result.metrics, found.result.run_id) == ({"image_auc": 0.5}, "")
    assert [file.path for file in found.result.files] == kept(site, job.job_id) == ["curves/roc.png"]
    log = site.log_of(job)
    assert "Trial: 32 of 60 files in 2 of 3 categories (weave, grain), at most 60 s. Nothing of it is recorded." in log
    assert "Would be ranked on synthetic.\n" in log
    assert "This was a trial: nothing was recorded.\n" in log
    assert site.results.completed_jobs("synthetic") == []


def test_a_trial_needs_no_tracking_server(site: TwinRunner[ProcessEngine]) -> None:
    """Nobody waits for what is not used."""
    site.tracking.away = True
    assert site.run(site.claim(GOOD, trial=True)).state is JobState.COMPLETED


def test_what_would_not_be_ranked_is_told_with_the_reason(site: TwinRunner[ProcessEngine]) -> None:
    """The same judgement as of a job."""
    job = site.run(site.claim(GOOD.replace("0.5", "93.1"), trial=True))
    assert (job.state, job.ranked) == (JobState.COMPLETED, False)
    assert "Would not be ranked on synthetic: image_auc 93.1 is out of 0..1" in site.log_of(job)


def test_a_failed_trial_fails_as_a_job_would(site: TwinRunner[ProcessEngine]) -> None:
    """BOX-9."""
    job = site.run(site.claim("raise SystemExit(7)", trial=True))
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.EXIT)
    assert kept(site, job.job_id) == []


def test_a_trial_that_takes_too_long_is_told_what_a_job_has(site: TwinRunner[ProcessEngine]) -> None:
    """The shorter of both limits holds; the sentence names the trial's, and the class's beside it."""
    site.trial_seconds = 0
    job = site.run(site.claim("import time\ntime.sleep(60)", trial=True))
    assert job.failure_reason is FailureReason.TIMEOUT
    assert job.error_message is not None
    assert job.error_message.startswith("The trial was stopped after 0 s, the limit of a trial.")
    assert "A job of class 'small' has 1800 s." in job.error_message


def test_the_program_is_told_the_categories_that_it_has(site: TwinRunner[ProcessEngine]) -> None:
    """Unmodified code takes its categories from job.json, and finds each of them."""
    log = site.log_of(site.run(site.claim("import os\nprint(open(os.environ['LEADERSBOARD_JOB']).read())", trial=True)))
    told = json.loads(log[log.index("{") : log.rindex("}") + 1])
    assert told["benchmark"] == {"name": "synthetic", "categories": ["weave", "grain"]}
    assert told["trial"] is True
    data = site.engine.launched[0].data
    assert data is not None
    assert sorted(path.name for path in data.iterdir()) == ["grain", "weave"]


def test_large_files_of_a_trial_are_left_out_and_named(site: TwinRunner[ProcessEngine]) -> None:
    """Trials count towards no limit of jobs, so they must not fill the disk."""
    big = f"(out / 'model.bin').write_bytes(bytes({KEPT_BYTES}))\n"
    job = site.run(site.claim(GOOD + big + "(out / 'weights.txt').write_text('w')\n", trial=True))
    assert kept(site, job.job_id) == ["curves/roc.png", "weights.txt"]
    assert f"1 of 3 files were not kept: a trial keeps at most 1000 files of {KEPT_BYTES // MIB} MiB" in site.log_of(
        job
    )
    found = site.results.get(job.job_id)
    assert found is not None
    assert found.result.file_count == 3


def test_a_cancel_before_the_end_is_a_cancel(site: TwinRunner[ProcessEngine]) -> None:
    """JOB-8 holds for trials."""
    claim = site.claim(GOOD, trial=True)
    site.ledger.cancel(claim.job_id)
    assert site.run(claim).state is JobState.CANCELLED


def test_a_trial_goes_on_with_another_runner(site: TwinRunner[ProcessEngine]) -> None:
    """Taken over as any run: it keeps the limit of its launch."""
    wait = "import time\nprint('begun', flush=True)\ntime.sleep(1)\n"
    claim = site.left_running(wait + GOOD, trial=True)
    job = site.run(claim)
    assert (job.state, job.attempt, job.ranked) == (JobState.COMPLETED, 1, True)
    assert site.tracking.results == {}


def test_the_sweeper_removes_old_files_and_unused_data(site: TwinRunner[ProcessEngine]) -> None:
    """A day for the files, an hour for the data; what is younger stays, and halves go as well."""
    job = site.run(site.claim(GOOD, trial=True))
    data, files = site.root / "jobs" / trial_data.FOLDER, site.root / "logs" / FOLDER
    (data / ".new-1").mkdir()
    tidy(site.sweeper())
    assert len(list(data.iterdir())) == 2
    assert kept(site, job.job_id) == ["curves/roc.png"]
    for place, age in ((data, trial_data.UNUSED_SECONDS), (files, KEPT_SECONDS)):
        for path in place.iterdir():
            made_older(path, age + 1)
    tidy(site.sweeper())
    assert list(data.iterdir()) == list(files.iterdir()) == []


def made_older(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_broken_benchmark_ends_a_trial_with_words(site: TwinRunner[ProcessEngine]) -> None:
    """Not the submission's fault: it is refunded and told whom to ask."""
    public = site.root / "benchmarks" / "synthetic" / "public"
    (public / "weave").rename(public / "gone")
    job = site.run(site.claim(GOOD, trial=True))
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.PLATFORM)
    assert job.error_message == (
        "The data of 'synthetic' is incomplete, or being changed. Try again in a few minutes, or ask an admin."
    )
