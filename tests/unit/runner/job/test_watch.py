"""A run under watch: its time, its log's limits, cancels, and what an earlier runner noted."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from core.domain.job import JobState
from core.domain.limits import SMALL
from core.domain.verdict import FailureReason, Stop
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine, ProcessSandbox
from tests.twin_runner import GOOD, TwinRunner, when

pytestmark = pytest.mark.unit


@pytest.mark.slow
def test_a_run_past_its_time_is_stopped(runner: TwinRunner[ProcessEngine]) -> None:
    """BOX-9: also one that ignores SIGTERM; its log until then stays."""
    runner.limits = SMALL.model_copy(update={"timeout_seconds": 1})
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); print('begun'); time.sleep(60)"
    job = runner.run(runner.claim(program))
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.TIMEOUT)
    assert "after 1 s" in (job.error_message or "")
    assert "begun" in runner.log_of(job)
    runner.assert_nothing_left()


@pytest.mark.slow
def test_setting_up_does_not_count_as_the_programs_time(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for its limit nor in its figures, whose source is the engine."""
    runner.limits = SMALL.model_copy(update={"timeout_seconds": 2})
    launch, state = ProcessEngine.launch, ProcessSandbox.state

    def slow_launch(engine: ProcessEngine, *given: Any) -> Any:
        time.sleep(3)
        return launch(engine, *given)

    monkeypatch.setattr(ProcessEngine, "launch", slow_launch)
    monkeypatch.setattr(ProcessSandbox, "state", lambda sandbox: replace(state(sandbox), ran_seconds=0.25))
    job = runner.run(runner.claim("import time; time.sleep(0.5)\n" + GOOD))
    assert job.state is JobState.COMPLETED, job.error_message
    assert (job.peaks or {})["wall_seconds"] == 0.25


def test_a_flood_is_stopped_and_its_log_bounded(runner: TwinRunner[ProcessEngine]) -> None:
    """LOG-3: past the hard limit the run is stopped; what is kept on disk has its own bound."""
    job = runner.run(runner.claim("while True: print('x' * 99)"))
    assert job.failure_reason is FailureReason.LOG_LIMIT
    assert len(runner.log_of(job)) < runner.log_limits["kept_bytes"] + 1_000
    assert "bytes were dropped here" in runner.log_of(job)
    runner.assert_nothing_left()


@pytest.mark.slow
def test_a_cancelled_run_is_stopped(runner: TwinRunner[ProcessEngine]) -> None:
    """JOB-8: the runner hears of it at its next heartbeat."""
    claim = runner.claim("import time; print('begun'); time.sleep(60)")
    begun = lambda: "begun" in runner.storage.read_log(claim.job_id).text  # noqa: E731
    canceller = when(begun, lambda: runner.ledger.cancel(claim.job_id))
    job = runner.run(claim)
    canceller.join()
    assert (job.state, job.failure_reason) == (JobState.CANCELLED, None)
    runner.assert_nothing_left()


def test_a_stop_that_its_runner_did_not_come_to_is_carried_out(
    runner: TwinRunner[ProcessEngine],
) -> None:
    """BOX-9: killed between the word and the deed; whoever takes the run over ends it for the same reason."""
    claim = runner.left_running("import time; print('begun', flush=True); time.sleep(60); print('slept')")
    RunFolder(path=runner.root / "jobs" / f"{claim.job_id}-{claim.job.sandbox}").stop(Stop.LOG_LIMIT)
    job = runner.run(claim)
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.LOG_LIMIT)
    assert "slept" not in runner.log_of(job)
