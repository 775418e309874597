"""How a job ended is told once, and the same everywhere: in the ledger, at the tracking server, in the log."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Conflict, Unavailable
from core.domain.job import CANCEL_SECONDS, MAX_ATTEMPTS, MAX_LOSSES, Job, JobState, Outcome
from core.domain.tracking_state import compared
from core.ports.tracking import Result, RunRef
from runner.job.record import add_log
from runner.recovery.periodic import begin
from tests.process_sandbox import ProcessEngine
from tests.runner_bench import GOOD, Bench, jobs_in, tidy, when

pytestmark = pytest.mark.unit

ENDLESS = "import time; print('begun'); time.sleep(60)"


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench[ProcessEngine]:
    return Bench(tmp_path, ProcessEngine(tmp_path / "engine"))


def assert_it_completed_once(bench: Bench[ProcessEngine], job: Job) -> None:
    sweeper = bench.sweeper()
    sweeper.sweep()
    tidy(sweeper)
    ((ref, _result),) = bench.tracking.results.values()
    assert (bench.ledger.get(job.job_id).state, job.run_id) == (JobState.COMPLETED, ref.run_id)
    recorded = bench.results.get(job.job_id)
    assert recorded is not None
    assert compared(recorded.result, bench.tracking.tracked([ref])[ref.run_id]).differences == ()
    assert bench.log_of(job).splitlines()[-1] == "[leadersboard] Ended: completed"


@pytest.mark.parametrize("asked", ["nobody holds it", "its successor holds it"])
def test_a_cancel_after_the_result_comes_too_late(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """JOB-8: the runner that recorded it was killed before it said so; the job completes all the same."""
    claim = bench.claim(GOOD)

    def killed(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(bench.ledger, "finish", killed)
        with pytest.raises(Killed):
            bench.run(claim)
    bench.ledger.presume_dead(claim.job_id, claim.mark)
    if asked == "nobody holds it":
        with pytest.raises(Conflict):
            bench.ledger.cancel(claim.job_id)
    bench.sweep()
    successor = bench.claim_again()
    if asked == "its successor holds it":
        with pytest.raises(Conflict):
            bench.ledger.cancel(claim.job_id)
    assert_it_completed_once(bench, bench.run(successor))


@pytest.mark.parametrize("answers", [True, False])
def test_a_cancel_while_the_result_is_closed_comes_too_late(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    """JOB-8: however long MLflow takes for that, and when it does it without an answer."""
    claim = bench.claim(GOOD)
    record = bench.tracking.record

    def slow(result: Result, **asked: Callable[[], None]) -> RunRef:
        ref = record(result, **asked)
        with pytest.raises(Conflict):
            bench.ledger.cancel(claim.job_id)
        monkeypatch.setattr(bench.ledger, "clock", lambda: time.time() + CANCEL_SECONDS + 1)
        assert bench.ledger.sweep(max_attempts=MAX_ATTEMPTS, host="here").ended == ()
        if not answers:
            raise Unavailable("The tracking server", "it took too long")
        return ref

    with monkeypatch.context() as patch:
        patch.setattr(bench.tracking, "record", slow)
        job = bench.run(claim)
    if not answers:
        with pytest.raises(Conflict):
            bench.ledger.cancel(claim.job_id)
        bench.ledger.release_results("here")
        job = bench.run(bench.claim_again())
    assert_it_completed_once(bench, job)


ENDS = {
    "completed with it": (True, lambda run_id: Outcome(state=JobState.COMPLETED, run_id=run_id)),
    "completed with another": (False, lambda _run_id: Outcome(state=JobState.COMPLETED, run_id="another")),
    "cancelled": (False, lambda _run_id: Outcome(state=JobState.CANCELLED)),
    "failed": (False, lambda _run_id: Outcome(state=JobState.FAILED)),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_result_whose_job_ended_otherwise_is_taken_back(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """TRK-5: also when that is long after it was closed, and never before the job has ended."""
    claim = bench.claim(GOOD)
    monkeypatch.setattr(bench.ledger, "finish", lambda *_args: claim.job)
    bench.run(claim)
    monkeypatch.undo()
    ((ref, result),) = bench.tracking.results.values()
    bench.tracking.results["0" * 32] = (RunRef(run_id="somebody's", experiment_id="synthetic"), result)
    sweeper = bench.sweeper()
    tidy(sweeper)
    assert len(bench.tracking.results) == 2, "its job has not ended"
    closed = sweeper.tracking.closed
    closed._since = closed._since.replace(year=9999)  # from now on it is not among the late ones
    stays, outcome = ENDS[how]
    bench.ledger.finish(claim, outcome(ref.run_id))
    tidy(sweeper)
    assert set(bench.tracking.results) == {"0" * 32} | ({claim.job_id} if stays else set())
    assert bench.runners.mended().get("untrue run", 0) == (not stays)


def test_what_the_ledger_cancelled_has_a_last_line(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOX-10: on a line of its own, and nothing follows it: a runner that was paused writes where nobody reads."""
    claim = bench.left_running(ENDLESS)
    path = bench.storage.log_path(claim.job_id)
    with path.open("ab", buffering=0) as sleeper:
        sleeper.write(b"half a line")
        bench.ledger.cancel(claim.job_id)
        monkeypatch.setattr(bench.ledger, "clock", lambda: time.time() + CANCEL_SECONDS + 1)
        sweeper = bench.sweeper()
        sweeper.sweep()
        sweeper.ledger.ended.append(bench.ledger.get(claim.job_id))  # as if its runner had come to say it just before
        sweeper.sweep()
        sleeper.write(b" and the rest\n")
    assert path.read_bytes().splitlines()[-2:] == [b"half a line", b"\xff[leadersboard] Ended: cancelled"]
    assert path.read_bytes().endswith(b"cancelled\n")
    assert path.read_bytes().count(b"Ended:") == 1
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_what_the_ledger_gave_up_has_a_last_line(bench: Bench[ProcessEngine]) -> None:
    """BOX-10: with the reason; of a job that never had a log none is made."""
    claim = bench.left_running(ENDLESS)
    for _round in range(MAX_LOSSES):
        bench.ledger.presume_dead(claim.job_id, claim.mark)
        sweeper = bench.sweeper()
        sweeper.sweep()
        if (job := bench.ledger.get(claim.job_id)).is_final:
            break
        claim = bench.claim_again()
        bench.ledger.note(claim, sandbox=claim.mark)
    assert bench.log_of(job).splitlines()[-1] == f"[leadersboard] Ended: failed: {job.error_message}"
    bench.storage.log_path(job.job_id).unlink()
    sweeper.ledger.ended.append(job)
    sweeper.sweep()
    assert list((bench.root / "logs").iterdir()) == []


def test_a_disk_that_takes_no_last_line_keeps_no_sweep_from_its_work(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log stays as it was, and nothing is left beside it."""
    claim = bench.left_running(ENDLESS)
    log, sweeper = bench.storage.log_path(claim.job_id), bench.sweeper()
    before = log.read_bytes()

    def full(*_args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.job_log.final_line.shutil.copyfile", full)
    sweeper.ledger.ended.extend([bench.ledger.finish(claim, Outcome(state=JobState.FAILED))] * 2)
    sweeper.sweep()
    assert (log.read_bytes(), len(sweeper.ledger.ended)) == (before, 0)
    assert [path.name for path in log.parent.iterdir()] == [log.name]


def test_a_cancel_that_meets_a_stop_is_the_logs_last_line(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOX-10: the runner says that the run goes on, and then the ledger ends the job."""
    claim = bench.claim(ENDLESS)
    leave = bench.ledger.leave

    def cancelled_first(*args: Any, **named: Any) -> Job:
        bench.ledger.cancel(claim.job_id)
        return leave(*args, **named)

    monkeypatch.setattr(bench.ledger, "leave", cancelled_first)
    stopper = when(lambda: "begun" in bench.storage.read_log(claim.job_id).text, bench.stopping.set)
    job = bench.run(claim)
    stopper.join()
    assert job.state is JobState.CANCELLED
    assert bench.log_of(job).splitlines()[-1] == "[leadersboard] Ended: cancelled"
    bench.engine.remove_leftovers(claim.job_id)


def test_what_another_process_ended_is_removed_within_seconds(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JOB-8: the run is in this host's engine, whoever carries the cancel out in the ledger."""
    claim = bench.left_running(ENDLESS)
    ended = threading.Event()
    begin([one for one in bench.sweeper().rounds(60.0) if one.part == "engine"], ended)
    time.sleep(0.3)  # it has looked once, and looks at the engine again in a minute
    bench.ledger.cancel(claim.job_id)
    monkeypatch.setattr(bench.ledger, "clock", lambda: time.time() + CANCEL_SECONDS + 1)
    bench.sweep()
    removed = when(lambda: jobs_in(bench.engine) == set(), ended.set)
    removed.join()
    assert jobs_in(bench.engine) == set()


def test_a_recorders_log_is_whole_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRK-5: one that was paused while it copied wakes up while its successor uploads the file."""
    artifacts, log = tmp_path / "run" / "artifacts", tmp_path / "j.log"
    artifacts.mkdir(parents=True)
    log.write_bytes(b"the whole log\n")
    add_log(artifacts, log)

    def cut(_source: Path, target: Path) -> None:
        target.write_bytes(b"the")
        raise Killed

    monkeypatch.setattr("runner.job.record.shutil.copyfile", cut)
    with pytest.raises(Killed):
        add_log(artifacts, log)
    assert (artifacts / "logs" / "j.log").read_bytes() == b"the whole log\n"
    assert [os.fspath(path.relative_to(artifacts)) for path in artifacts.rglob("*.*")] == ["logs/j.log"]
