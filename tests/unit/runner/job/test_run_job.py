"""One job from claim to release, with a real process where the container would be."""

from __future__ import annotations

import pytest

from core.domain.job import JobState
from core.domain.limits import UserLimits
from core.domain.verdict import FailureReason
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner, when

pytestmark = pytest.mark.unit


def test_a_good_run_is_recorded_and_completed(runner: TwinRunner[ProcessEngine]) -> None:
    """Metrics, artifacts with the log, tags and our own measurements reach the tracking server as one run."""
    job = runner.run(runner.claim(GOOD))
    ref, result = runner.tracking.results[job.job_id]
    assert (job.state, job.run_id, job.device) == (JobState.COMPLETED, ref.run_id, "cpu")
    assert result.metrics.metrics == {"image_auc": 0.5}
    assert result.measured["wall_seconds"] > 0
    assert result.tags["leadersboard.image_digest"] == "sha256:none"
    assert len(result.tags["leadersboard.code_sha256"]) == 64
    assert "hello from the run" in runner.log_of(job)
    assert runner.log_of(job).rstrip().endswith("Ended: completed")
    runner.assert_nothing_left()


def test_a_run_sees_its_job_and_overrides(runner: TwinRunner[ProcessEngine]) -> None:
    """JOB-1: what the config holds besides its own keys reaches the run as job.json."""
    program = "import json, os; print(sorted(json.load(open(os.environ['LEADERSBOARD_JOB'])).items()))\n"
    log = runner.log_of(runner.run(runner.claim(program)))
    assert "('overrides', {'seed': 7})" in log
    assert "'categories': ['weave']" in log


@pytest.mark.parametrize(
    ("program", "reason", "words"),
    [
        ("raise SystemExit(3)", FailureReason.EXIT, "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", FailureReason.EXIT, "SIGSEGV"),
        ("print('done')", FailureReason.NO_METRICS, "wrote no metrics.json"),
        (
            "import sys; open(sys.argv[4] + '/metrics.json', 'w').write('{')",
            FailureReason.BAD_METRICS,
            "not valid JSON",
        ),
        (
            "import os, sys; os.symlink('/etc/hostname', sys.argv[4] + '/metrics.json')",
            FailureReason.BAD_METRICS,
            "not a plain file",
        ),
        (GOOD + "raise SystemExit(1)", FailureReason.EXIT, "exit code 1"),
    ],
)
def test_a_bad_run_fails_with_its_reason(
    runner: TwinRunner[ProcessEngine], program: str, reason: FailureReason, words: str
) -> None:
    """BOX-9: the message names the deciding fact, the log stays and says how it ended, nothing is recorded or left."""
    job = runner.run(runner.claim(program))
    assert (job.state, job.failure_reason, job.run_id) == (JobState.FAILED, reason, None)
    assert words in (job.error_message or "")
    assert f"Ended: failed: {job.error_message}" in runner.log_of(job)
    assert runner.tracking.results == {}
    runner.assert_nothing_left()


def test_an_engine_that_loses_a_run_costs_an_attempt_and_not_the_job(runner: TwinRunner[ProcessEngine]) -> None:
    """A failing platform is an error, never a verdict: the job is run again, and the third time it is over."""
    claim = runner.claim("import time; time.sleep(60)")
    for attempt in (1, 2, 3):
        runner.engine.lost.add((claim.job_id, attempt))
        job = runner.run(claim)
        if attempt < 3:
            assert (job.state, job.attempt) == (JobState.PENDING, attempt)
            claim = runner.claim_again()
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.PLATFORM)
    assert runner.ledger.allowance("ann", UserLimits(jobs_per_hour=5)).remaining == 5
    assert "not your submission's fault" in runner.log_of(job)
    runner.assert_nothing_left()


def test_an_old_run_whose_class_is_gone_ends_in_words_and_at_nobodys_cost(runner: TwinRunner[ProcessEngine]) -> None:
    """An older version kept nothing of what it was launched with: it ends rather than be put back for ever."""
    claim = runner.claim("import time; print('begun'); time.sleep(60)")
    begun = lambda: "begun" in runner.storage.read_log(claim.job_id).text  # noqa: E731
    stopper = when(begun, runner.stopping.set)
    runner.run(claim)
    stopper.join()
    runner.stopping.clear()
    (runner.root / "jobs" / f"{claim.job_id}-{claim.mark}" / "settings").unlink()
    runner.resource_classes = {}
    job = runner.run(runner.claim_again())
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.PLATFORM)
    assert "no longer has a resource class 'small'" in (job.error_message or "")
    assert "begun" in runner.log_of(job)
    assert runner.ledger.allowance("ann", UserLimits(jobs_per_hour=5)).remaining == 5
    runner.assert_nothing_left()


def test_a_machine_that_was_started_anew_costs_an_attempt_and_the_log_says_so(
    runner: TwinRunner[ProcessEngine],
) -> None:
    """Its runs went with it: what was printed stays, and no run is begun again as if it were the first."""
    claim = runner.left_running("print('begun', flush=True); import time; time.sleep(60)")
    runner.engine.remove_leftovers(claim.job_id)
    (folder,) = (runner.root / "jobs").glob(f"{claim.job_id}-*")
    (folder / "begun").write_text("another-boot 12.5")
    (folder / "position").write_bytes(bytes(65))  # as a power cut may leave it
    job = runner.run(claim)
    assert (job.state, job.attempt) == (JobState.PENDING, 1)
    assert "The machine was started anew during this run." in runner.log_of(job)
    assert runner.log_of(job).count("begun") == 1
    runner.assert_nothing_left()
    assert runner.claim_again().job.attempt == 2
