"""Clocks that jump, the machine's or the ledger's: no run is ended for it, none is started twice."""

from __future__ import annotations

import threading
import time

import pytest

from core.domain.job import JobState
from core.domain.limits import SMALL
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner, when

pytestmark = [pytest.mark.unit, pytest.mark.slow]

PROGRAM = "import time; print('begun', flush=True); time.sleep(1.5)\n" + GOOD


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_runs_time_does_not_hang_on_the_wall_clock(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """A time-out of 30 s is 30 s, whatever time it is."""
    runner.limits = SMALL.model_copy(update={"timeout_seconds": 30})
    claim, real = runner.claim(PROGRAM), time.time
    jump = when(
        lambda: "begun" in runner.storage.read_log(claim.job_id).text,
        lambda: monkeypatch.setattr(time, "time", lambda: real() + 3600 * hours),
    )
    job = runner.run(claim)
    jump.join()
    assert job.state is JobState.COMPLETED


def test_a_ledger_whose_clock_jumps_ahead_repeats_nothing(runner: TwinRunner[ProcessEngine]) -> None:
    """All leases end at once: whoever claims next goes on with the run that is there."""
    claim = runner.claim(PROGRAM)
    thread = threading.Thread(target=runner.run, args=(claim,))
    thread.start()
    until = time.monotonic() + 120
    while "begun" not in runner.storage.read_log(claim.job_id).text and time.monotonic() < until:
        time.sleep(0.01)
    runner.ledger.clock = lambda: time.time() + 3600
    runner.sweep()
    job = runner.run(runner.claim_again())
    thread.join()
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)
    assert runner.log_of(job).count("begun") == 1
