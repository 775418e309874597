"""The last line of a log whose job the ledger ended (BOX-10)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from core.domain.job import CANCEL_SECONDS, MAX_LOSSES, JobState, Outcome
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import TwinRunner

pytestmark = pytest.mark.unit

ENDLESS = "import time; print('begun'); time.sleep(60)"


def test_what_the_ledger_cancelled_has_a_last_line(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """BOX-10: on a line of its own, and nothing follows it: a runner that was paused writes where nobody reads."""
    claim = runner.left_running(ENDLESS)
    path = runner.storage.log_path(claim.job_id)
    with path.open("ab", buffering=0) as sleeper:
        sleeper.write(b"half a line")
        runner.ledger.cancel(claim.job_id)
        monkeypatch.setattr(runner.ledger, "clock", lambda: time.time() + CANCEL_SECONDS + 1)
        sweeper = runner.sweeper()
        sweeper.sweep()
        sweeper.ledger.ended.append(runner.ledger.get(claim.job_id))  # as if its runner had come to say it just before
        sweeper.sweep()
        sleeper.write(b" and the rest\n")
    assert path.read_bytes().splitlines()[-2:] == [b"half a line", b"\xff[leadersboard] Ended: cancelled"]
    assert path.read_bytes().endswith(b"cancelled\n")
    assert path.read_bytes().count(b"Ended:") == 1
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_what_the_ledger_gave_up_has_a_last_line(runner: TwinRunner[ProcessEngine]) -> None:
    """BOX-10: with the reason; of a job that never had a log none is made."""
    claim = runner.left_running(ENDLESS)
    for _round in range(MAX_LOSSES):
        runner.ledger.presume_dead(claim.job_id, claim.mark)
        sweeper = runner.sweeper()
        sweeper.sweep()
        if (job := runner.ledger.get(claim.job_id)).is_final:
            break
        claim = runner.claim_again()
        runner.ledger.note(claim, sandbox=claim.mark)
    assert runner.log_of(job).splitlines()[-1] == f"[leadersboard] Ended: failed: {job.error_message}"
    runner.storage.log_path(job.job_id).unlink()
    sweeper.ledger.ended.append(job)
    sweeper.sweep()
    assert list((runner.root / "logs").iterdir()) == []


def test_a_disk_that_takes_no_last_line_keeps_no_sweep_from_its_work(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log stays as it was, and nothing is left beside it."""
    claim = runner.left_running(ENDLESS)
    log, sweeper = runner.storage.log_path(claim.job_id), runner.sweeper()
    before = log.read_bytes()

    def full(*_args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runner.job_log.final_line.shutil.copyfile", full)
    sweeper.ledger.ended.extend([runner.ledger.finish(claim, Outcome(state=JobState.FAILED))] * 2)
    sweeper.sweep()
    assert (log.read_bytes(), len(sweeper.ledger.ended)) == (before, 0)
    assert [path.name for path in log.parent.iterdir()] == [log.name]
