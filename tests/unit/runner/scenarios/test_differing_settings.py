"""A run is judged by what it was launched with, whatever the runner that goes on with it is set to."""

from __future__ import annotations

import shutil

import pytest

from core.domain.job import Claim, JobState
from core.domain.limits import SMALL, UserLimits
from core.domain.runners import ClassFigures, RunnerReport, RunnerState
from core.domain.verdict import FailureReason
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner

pytestmark = [pytest.mark.unit, pytest.mark.slow]

SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(1.5)\n" + GOOD
ENDLESS = "import time; print('begun', flush=True); time.sleep(60)"
LIMITS = UserLimits(jobs_per_hour=5)


def folder_of(runner: TwinRunner[ProcessEngine], claim: Claim) -> RunFolder:
    return RunFolder(path=runner.root / "jobs" / f"{claim.job_id}-{claim.job.sandbox}")


def begun_ago(folder: RunFolder, seconds: float) -> None:
    for name in ("begun", "started"):
        boot, at = (folder.path / name).read_text().split()
        (folder.path / name).write_text(f"{boot} {float(at) - seconds}")


def test_a_runner_with_a_shorter_limit_lets_a_run_have_its_time(runner: TwinRunner[ProcessEngine]) -> None:
    """BOX-9: also after a restart with another setting."""
    claim = runner.left_running(SLOW)
    begun_ago(folder_of(runner, claim), 90)
    runner.limits = SMALL.model_copy(update={"timeout_seconds": 1})
    job = runner.run(claim)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), job.error_message


def test_a_runner_with_a_longer_limit_stops_a_run_at_its_own(runner: TwinRunner[ProcessEngine]) -> None:
    """The message names the limit that was applied, not the one that is set by then."""
    runner.limits = SMALL.model_copy(update={"timeout_seconds": 30})
    claim = runner.left_running(ENDLESS)
    begun_ago(folder_of(runner, claim), 31)
    runner.limits = SMALL
    job = runner.run(claim)
    assert job.failure_reason is FailureReason.TIMEOUT
    assert "after 30 s" in (job.error_message or "")


@pytest.mark.parametrize("held", [True, False])
def test_a_sweeper_with_a_shorter_limit_ends_no_run_of_another(
    runner: TwinRunner[ProcessEngine], *, held: bool
) -> None:
    """Whether its runner holds it at this moment or not; nor does one of another engine on the same machine."""
    claim = runner.left_running(ENDLESS)
    folder = folder_of(runner, claim)
    begun_ago(folder, 90)
    if not held:
        runner.ledger._leases.take(claim.job_id, claim.token, -1.0)
    runner.limits = SMALL.model_copy(update={"timeout_seconds": 1})
    runner.sweeper().sweep()
    assert folder.stopped is None
    runner.engine.remove_leftovers(claim.job_id)


def test_an_old_run_without_settings_is_judged_by_those_of_its_runner(runner: TwinRunner[ProcessEngine]) -> None:
    """An upgrade between its launch and its end."""
    claim = runner.left_running(ENDLESS)
    (folder_of(runner, claim).path / "settings").unlink()
    begun_ago(folder_of(runner, claim), 90)
    runner.limits = SMALL.model_copy(update={"timeout_seconds": 60})
    assert "after 60 s" in (runner.run(claim).error_message or "")


def test_the_caps_of_a_log_are_those_of_the_launch(runner: TwinRunner[ProcessEngine]) -> None:
    """LOG-3: how much a run may print does not shrink or grow while it runs."""
    program = "import time\nprint('begun', flush=True)\ntime.sleep(1.5)\nprint('x' * 2000, flush=True)\n" + GOOD
    claim = runner.left_running(program)
    runner.log_limits = {"max_bytes": 1000, "max_lines": 10, "kept_bytes": 200}
    job = runner.run(claim)
    assert job.state is JobState.COMPLETED, job.error_message
    assert "x" * 2000 in runner.log_of(job)


def test_the_message_of_a_flood_names_its_limits(runner: TwinRunner[ProcessEngine]) -> None:
    """As they were applied."""
    job = runner.run(runner.claim("while True: print('x' * 99)"))
    assert job.failure_reason is FailureReason.LOG_LIMIT
    assert "or 1000 lines that a run may print" in (job.error_message or "")


@pytest.mark.parametrize("change", ["removed", "renamed"])
def test_a_run_outlives_its_class(runner: TwinRunner[ProcessEngine], change: str) -> None:
    """It goes on by what it was launched with, to its true end."""
    claim = runner.left_running(SLOW)
    runner.resource_classes = {} if change == "removed" else {"other": SMALL.model_copy(update={"name": "other"})}
    runner.sweeper().sweep()
    job = runner.run(claim)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), job.error_message


def test_a_job_that_would_go_back_to_a_queue_of_no_runner_ends_in_words(runner: TwinRunner[ProcessEngine]) -> None:
    """Its class was removed, and the engine has lost its run: nothing would ever run it again."""
    claim = runner.left_running(ENDLESS)
    runner.engine.remove_leftovers(claim.job_id)
    runner.resource_classes = {}
    job = runner.run(claim)
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.PLATFORM)
    assert "no longer has a resource class 'small'" in (job.error_message or "")
    assert runner.ledger.allowance("ann", LIMITS).remaining == 5
    runner.assert_nothing_left()


def test_a_job_whose_class_another_runner_has_goes_back_to_its_queue(runner: TwinRunner[ProcessEngine]) -> None:
    """Two runners of different settings beside each other."""
    figures = ClassFigures.model_validate(SMALL.model_dump())
    runner.runners.publish(
        RunnerReport(
            name="m:1", host="there", version="1", since="2026-01-01T00:00:00Z", state=RunnerState.READY,
            classes=(figures,),
        )
    )  # fmt: skip
    claim = runner.left_running(ENDLESS)
    runner.engine.remove_leftovers(claim.job_id)
    runner.resource_classes = {}
    assert runner.run(claim).state is JobState.PENDING


def test_a_run_outlives_its_benchmark(runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch) -> None:
    """What it needs of it is mounted already; its result is recorded under the name that it was run for."""
    monkeypatch.setattr("runner.job.attempt.ASIDE_SECONDS", 0.0)
    claim = runner.left_running(SLOW)
    shutil.rmtree(runner.root / "benchmarks" / "synthetic")
    job = runner.run(claim)
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), job.error_message


def test_a_job_without_its_benchmark_is_not_begun_and_costs_nothing(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One attempt, one clear sentence; a benchmark that is being written anew is waited for."""
    monkeypatch.setattr("runner.job.attempt.ASIDE_SECONDS", 0.0)
    claim = runner.claim(GOOD)
    shutil.rmtree(runner.root / "benchmarks" / "synthetic")
    job = runner.run(claim)
    assert (job.state, job.failure_reason, job.attempt) == (JobState.FAILED, FailureReason.PLATFORM, 1)
    assert "no longer has the benchmark 'synthetic'" in (job.error_message or "")
    assert runner.ledger.allowance("ann", LIMITS).remaining == 5
    assert runner.engine.launched == []
    runner.assert_nothing_left()
