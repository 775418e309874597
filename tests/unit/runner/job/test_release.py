"""How a runner lets go of a job: handed over, put back, or ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.errors import Unavailable
from core.domain.job import Claim, Job, JobState, Outcome
from core.domain.sealed_result import SealedResult
from core.ports.sandbox import Harvest
from tests.process_sandbox import ProcessEngine, ProcessSandbox
from tests.twin_runner import GOOD, TwinRunner, when

pytestmark = pytest.mark.unit


@pytest.mark.slow
def test_a_stopping_runner_hands_its_run_over(runner: TwinRunner[ProcessEngine]) -> None:
    """RUN-3: the run goes on, and another runner brings it to its end: one attempt, one start, the whole log."""
    claim = runner.claim("import time; print('begun'); time.sleep(1.5); print('still here')\n" + GOOD)
    stopper = when(lambda: "begun" in runner.storage.read_log(claim.job_id).text, runner.stopping.set)
    job = runner.run(claim)
    stopper.join()
    assert (job.state, job.attempt) == (JobState.RUNNING, 1)
    runner.stopping.clear()
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    assert [runner.log_of(job).count(words) for words in ("begun", "still here", "hello from")] == [1, 1, 1]
    runner.assert_nothing_left()


@pytest.mark.slow
def test_a_stopping_runner_puts_back_what_has_not_begun(runner: TwinRunner[ProcessEngine]) -> None:
    """RUN-3: a job that waits for a device is nobody's run yet; no attempt is used up."""
    runner.engine.devices, runner.engine.taken = ("GPU-a",), {"GPU-a"}
    claim = runner.claim(GOOD)
    stopper = when((runner.root / "gpus.lock").exists, runner.stopping.set)
    job = runner.run(claim)
    stopper.join()
    assert (job.state, job.attempt) == (JobState.PENDING, 0)
    runner.assert_nothing_left()


def test_a_job_that_is_cancelled_while_its_runner_stops_is_not_run_again(runner: TwinRunner[ProcessEngine]) -> None:
    """RUN-3 and JOB-8 at once: the hand-over ends it."""
    claim = runner.claim("import time; print('begun'); time.sleep(60)")

    def stop_and_cancel() -> None:
        runner.stopping.set()
        runner.ledger.cancel(claim.job_id)

    begun = lambda: "begun" in runner.storage.read_log(claim.job_id).text  # noqa: E731
    stopper = when(begun, stop_and_cancel)
    job = runner.run(claim)
    stopper.join()
    assert job.state is JobState.CANCELLED


def test_what_fails_because_another_runner_has_the_job_is_no_failure(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No word of it in the log that the other one writes, and no dead letter."""
    claim = runner.claim(GOOD)

    def cut_off(_sandbox: ProcessSandbox, _into: Path) -> Harvest:
        runner.ledger._leases.take(claim.job_id, "somebody else", 99)
        raise FileNotFoundError("the folder of the run")

    monkeypatch.setattr(ProcessSandbox, "harvest", cut_off)
    job = runner.run(claim)
    assert job.state is JobState.RUNNING
    assert "platform failed" not in runner.log_of(job)
    assert runner.dead_letters.page().total == 0
    runner.engine.remove_leftovers(claim.job_id)


def test_a_ledger_that_is_away_at_the_end_is_told_when_it_is_back(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is not repeated for it, and the log has one last line."""
    finish, calls = runner.ledger.finish, []

    def away_at_first(claim: Claim, outcome: Outcome, result: SealedResult | None) -> Job:
        calls.append(outcome.state)
        if len(calls) < 3:
            raise Unavailable("The ledger", "it is away")
        return finish(claim, outcome, result)

    monkeypatch.setattr(runner.ledger, "finish", away_at_first)
    monkeypatch.setattr("runner.lease.lease.RETRY_SECONDS", 0.05)
    job = runner.run(runner.claim(GOOD))
    assert (job.state, job.attempt, len(calls)) == (JobState.COMPLETED, 1, 3)
    assert runner.log_of(job).count("Ended:") == 1
