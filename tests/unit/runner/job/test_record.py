"""x"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.job import CANCEL_SECONDS, JobState
from core.ports.tracking import Result, RunRef
from runner.job.record import add_log
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner, jobs_in

pytestmark = pytest.mark.unit


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


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


def test_a_result_that_waits_outlives_the_machine(runner: TwinRunner[ProcessEngine]) -> None:
    """TRK-5: it is on disk; a runner that stops while it is recorded throws nothing away."""
    runner.tracking.away = True
    claim = runner.claim(GOOD)
    runner.run(claim)
    (runner.root / "jobs" / f"{claim.job_id}-{claim.mark}" / "begun").write_text("another-boot 12.5")
    runner.tracking.away = False
    runner.ledger.release_results("here")
    runner.stopping.set()
    assert runner.run(runner.claim_again()).state is JobState.RUNNING
    runner.stopping.clear()
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    runner.assert_nothing_left()


def test_a_result_waits_for_the_tracking_server(runner: TwinRunner[ProcessEngine]) -> None:
    """TRK-5: MLflow being away keeps no runner and loses nothing; the status says "recording" meanwhile."""
    runner.tracking.away = True
    job = runner.run(runner.claim(GOOD))
    assert (job.state, job.phase, jobs_in(runner.engine)) == (JobState.RUNNING, "recording", set())
    assert runner.ledger.claim("small", worker="w", lease_seconds=9, running_limit=1, host="here") is None
    runner.tracking.away = False
    assert runner.ledger.release_results("here") == 1
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    ref, result = runner.tracking.results[job.job_id]
    assert (job.run_id, result.tags["leadersboard.image_digest"]) == (ref.run_id, "sha256:none")
    runner.assert_nothing_left()


def test_a_tracking_server_that_answers_and_takes_nothing_is_told_to_admins(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRK-5: the result waits, and somebody can find out why; one that is away is no news."""
    runner.tracking.away = True
    runner.run(runner.claim(GOOD))
    assert runner.dead_letters.page().total == 0
    runner.tracking.away = False
    runner.ledger.release_results("here")

    def refused(_result: Result, **_named: object) -> RunRef:
        raise Unavailable("The tracking server (MLflow)", "500 Internal Server Error")

    with monkeypatch.context() as broken:
        broken.setattr(runner.tracking, "record", refused)
        assert runner.run(runner.claim_again()).state is JobState.RUNNING
    (letter,) = runner.dead_letters.page().letters
    assert (letter.failure.step, "500" in letter.failure.message) == ("record result", True)
    assert not runner.ledger.recording_turn("here", jitter=0.5), "it was in vain: there is a pause"
    runner.ledger.release_results("here")
    assert runner.run(runner.claim_again()).state is JobState.COMPLETED


def test_a_cancel_is_heard_while_the_result_waits(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JOB-8: nobody holds the job then; the sweep carries it out."""
    runner.tracking.away = True
    job = runner.run(runner.claim(GOOD))
    runner.ledger.cancel(job.job_id)
    monkeypatch.setattr(runner.ledger, "clock", lambda: time.time() + CANCEL_SECONDS)
    assert [ended.state for ended in runner.ledger.sweep(max_attempts=3, host="here").ended] == [JobState.CANCELLED]
    assert runner.tracking.results == {}


def test_a_cancel_is_heard_until_the_result_is_recorded(runner: TwinRunner[ProcessEngine]) -> None:
    """JOB-8: also for a run that was faster than a heartbeat."""
    claim = runner.claim(GOOD)
    record = runner.tracking.record

    def cancel_first(result: Result, **asked: Any) -> RunRef:
        runner.ledger.cancel(claim.job_id)
        return record(result, **asked)

    runner.tracking.record = cancel_first  # type: ignore[method-assign]
    job = runner.run(claim)
    assert (job.state, runner.tracking.results) == (JobState.CANCELLED, {})
    assert "Cancelled before it was recorded" in runner.log_of(job)
    runner.assert_nothing_left()


def test_performance_under_our_own_names_is_left_out_and_named(runner: TwinRunner[ProcessEngine]) -> None:
    """The platform's own figure wins; where it has none, the submission's does not take its place."""
    report = '{"params": {}, "metrics": {"image_auc": 1}, "performance": {"wall_seconds": 0, "Gpu_Memory_Bytes": 1}}'
    program = f"import sys, pathlib; pathlib.Path(sys.argv[4], 'metrics.json').write_text({report!r})"
    job = runner.run(runner.claim(program))
    assert job.state == "completed", runner.log_of(job)
    assert "'wall_seconds', 'Gpu_Memory_Bytes' left out; the platform measures this itself" in runner.log_of(job)
    recorded = runner.tracking.get_run(job.run_id or "").metrics
    assert recorded["system/wall_seconds"] > 0
    assert not [name for name in recorded if "gpu" in name.lower()]


def test_a_file_that_mlflow_refuses_is_named_in_the_log(runner: TwinRunner[ProcessEngine]) -> None:
    """FLD-7: the log names the file and the reason."""
    record = runner.tracking.record

    def refusing(result: Result, **asked: Any) -> RunRef:
        return replace(record(result, **asked), refused=frozenset({"map ネジ.png"}))

    runner.tracking.record = refusing  # type: ignore[method-assign]
    job = runner.run(runner.claim(GOOD))
    assert "Left out, since MLflow does not take the name: map ネジ.png." in runner.log_of(job)
