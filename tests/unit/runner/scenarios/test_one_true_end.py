"""How a job ended is told once, and the same everywhere: in the ledger, at the tracking server, in the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.domain.errors import Conflict, Unavailable
from core.domain.job import CANCEL_SECONDS, MAX_ATTEMPTS, Job, JobState, Outcome
from core.domain.tracking_state import compared
from core.ports.tracking import Result, RunRef
from runner.recovery.periodic import begin
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner, jobs_in, tidy, when

pytestmark = [pytest.mark.unit, pytest.mark.slow]

ENDLESS = "import time; print('begun'); time.sleep(60)"


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


def assert_it_completed_once(runner: TwinRunner[ProcessEngine], job: Job) -> None:
    sweeper = runner.sweeper()
    sweeper.sweep()
    tidy(sweeper)
    ((ref, _result),) = runner.tracking.results.values()
    assert (runner.ledger.get(job.job_id).state, job.run_id) == (JobState.COMPLETED, ref.run_id)
    recorded = runner.results.get(job.job_id)
    assert recorded is not None
    assert compared(recorded.result, runner.tracking.tracked([ref])[ref.run_id]).differences == ()
    assert runner.log_of(job).splitlines()[-1] == "[leadersboard] Ended: completed"


@pytest.mark.parametrize("asked", ["nobody holds it", "its successor holds it"])
def test_a_cancel_after_the_result_comes_too_late(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """JOB-8: the runner that recorded it was killed before it said so; the job completes all the same."""
    claim = runner.claim(GOOD)

    def killed(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(runner.ledger, "finish", killed)
        with pytest.raises(Killed):
            runner.run(claim)
    runner.ledger.presume_dead(claim.job_id, claim.mark)
    if asked == "nobody holds it":
        with pytest.raises(Conflict):
            runner.ledger.cancel(claim.job_id)
    runner.sweep()
    successor = runner.claim_again()
    if asked == "its successor holds it":
        with pytest.raises(Conflict):
            runner.ledger.cancel(claim.job_id)
    assert_it_completed_once(runner, runner.run(successor))


@pytest.mark.parametrize("answers", [True, False])
def test_a_cancel_while_the_result_is_closed_comes_too_late(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    """JOB-8: however long MLflow takes for that, and when it does it without an answer."""
    claim = runner.claim(GOOD)
    record = runner.tracking.record

    def slow(result: Result, **asked: Callable[[], None]) -> RunRef:
        ref = record(result, **asked)
        with pytest.raises(Conflict):
            runner.ledger.cancel(claim.job_id)
        monkeypatch.setattr(runner.ledger, "clock", lambda: time.time() + CANCEL_SECONDS + 1)
        assert runner.ledger.sweep(max_attempts=MAX_ATTEMPTS, host="here").ended == ()
        if not answers:
            raise Unavailable("The tracking server", "it took too long")
        return ref

    with monkeypatch.context() as patch:
        patch.setattr(runner.tracking, "record", slow)
        job = runner.run(claim)
    if not answers:
        with pytest.raises(Conflict):
            runner.ledger.cancel(claim.job_id)
        runner.ledger.release_results("here")
        job = runner.run(runner.claim_again())
    assert_it_completed_once(runner, job)


ENDS = {
    "completed with it": (True, lambda run_id: Outcome(state=JobState.COMPLETED, run_id=run_id)),
    "completed with another": (False, lambda _run_id: Outcome(state=JobState.COMPLETED, run_id="another")),
    "cancelled": (False, lambda _run_id: Outcome(state=JobState.CANCELLED)),
    "failed": (False, lambda _run_id: Outcome(state=JobState.FAILED)),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_result_whose_job_ended_otherwise_is_taken_back(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """TRK-5: also when that is long after it was closed, and never before the job has ended."""
    claim = runner.claim(GOOD)
    monkeypatch.setattr(runner.ledger, "finish", lambda *_args: claim.job)
    runner.run(claim)
    monkeypatch.undo()
    ((ref, result),) = runner.tracking.results.values()
    runner.tracking.results["0" * 32] = (RunRef(run_id="somebody's", experiment_id="synthetic"), result)
    sweeper = runner.sweeper()
    tidy(sweeper)
    assert len(runner.tracking.results) == 2, "its job has not ended"
    closed = sweeper.tracking.closed
    closed._since = closed._since.replace(year=9999)  # from now on it is not among the late ones
    stays, outcome = ENDS[how]
    runner.ledger.finish(claim, outcome(ref.run_id))
    tidy(sweeper)
    assert set(runner.tracking.results) == {"0" * 32} | ({claim.job_id} if stays else set())
    assert runner.runners.mended().get("untrue run", 0) == (not stays)


def test_a_cancel_that_meets_a_stop_is_the_logs_last_line(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOX-10: the runner says that the run goes on, and then the ledger ends the job."""
    claim = runner.claim(ENDLESS)
    leave = runner.ledger.leave

    def cancelled_first(*args: Any, **named: Any) -> Job:
        runner.ledger.cancel(claim.job_id)
        return leave(*args, **named)

    monkeypatch.setattr(runner.ledger, "leave", cancelled_first)
    stopper = when(lambda: "begun" in runner.storage.read_log(claim.job_id).text, runner.stopping.set)
    job = runner.run(claim)
    stopper.join()
    assert job.state is JobState.CANCELLED
    assert runner.log_of(job).splitlines()[-1] == "[leadersboard] Ended: cancelled"
    runner.engine.remove_leftovers(claim.job_id)


def test_what_another_process_ended_is_removed_within_seconds(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JOB-8: the run is in this host's engine, whoever carries the cancel out in the ledger."""
    claim = runner.left_running(ENDLESS)
    ended = threading.Event()
    sweeper = runner.sweeper()
    begin([one for one in sweeper.rounds(60.0) if one.part == "engine"], ended)
    when(lambda: bool(sweeper.engine.needed), lambda: None).join()  # it looks at the engine again in a minute
    runner.ledger.cancel(claim.job_id)
    monkeypatch.setattr(runner.ledger, "clock", lambda: time.time() + CANCEL_SECONDS + 1)
    runner.sweep()
    removed = when(lambda: jobs_in(runner.engine) == set(), ended.set)
    removed.join()
    assert jobs_in(runner.engine) == set()
