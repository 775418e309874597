"""Clocks that jump, the machine's or the ledger's: no run is ended for it, none is started twice."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from core.domain.job import JobState
from core.domain.limits import SMALL
from tests.process_sandbox import ProcessEngine
from tests.runner_bench import GOOD, Bench, when

pytestmark = pytest.mark.unit

PROGRAM = "import time; print('begun', flush=True); time.sleep(1.5)\n" + GOOD


@pytest.fixture
def bench(tmp_path: Path) -> Bench[ProcessEngine]:
    return Bench(tmp_path, ProcessEngine(tmp_path / "engine"))


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_runs_time_does_not_hang_on_the_wall_clock(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """A time-out of 30 s is 30 s, whatever time it is."""
    bench.limits = SMALL.model_copy(update={"timeout_seconds": 30})
    claim, real = bench.claim(PROGRAM), time.time
    jump = when(
        lambda: "begun" in bench.storage.read_log(claim.job_id).text,
        lambda: monkeypatch.setattr(time, "time", lambda: real() + 3600 * hours),
    )
    job = bench.run(claim)
    jump.join()
    assert job.state is JobState.COMPLETED


def test_a_ledger_whose_clock_jumps_ahead_repeats_nothing(bench: Bench[ProcessEngine]) -> None:
    """All leases end at once: whoever claims next goes on with the run that is there."""
    claim = bench.claim(PROGRAM)
    runner = threading.Thread(target=bench.run, args=(claim,))
    runner.start()
    until = time.monotonic() + 20
    while "begun" not in bench.storage.read_log(claim.job_id).text and time.monotonic() < until:
        time.sleep(0.01)
    bench.ledger.clock = lambda: time.time() + 3600
    bench.sweep()
    job = bench.run(bench.claim_again())
    runner.join()
    assert (job.state, job.attempt, len(bench.engine.launched)) == (JobState.COMPLETED, 1, 1)
    assert bench.log_of(job).count("begun") == 1
