"""The sweeper: what it mends, and what it leaves alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from core.domain.job import Claim, JobState, Outcome
from core.domain.limits import SMALL
from core.domain.recording_pace import FIRST_SECONDS
from core.domain.verdict import FailureReason, Stop
from runner.recovery.left_folders import LeftFolders
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine
from tests.runner_bench import GOOD, Bench, jobs_in, tidy

pytestmark = pytest.mark.unit

ENDLESS = "import time; print('begun'); time.sleep(60)"


@pytest.fixture
def bench(tmp_path: Path) -> Bench[ProcessEngine]:
    return Bench(tmp_path, ProcessEngine(tmp_path / "engine"))


def folder_of(bench: Bench[ProcessEngine], claim: Claim) -> RunFolder:
    return RunFolder(path=bench.root / "jobs" / f"{claim.job_id}-{claim.job.sandbox}")


def test_a_dead_runner_is_known_without_waiting_for_its_lease(bench: Bench[ProcessEngine]) -> None:
    """The kernel unlocks what a killed process held; the run waits for its next runner, who is called."""
    claim = bench.left_running(ENDLESS)
    sweeper = bench.sweeper()
    held = bench.held.holding(claim)
    held.__enter__()
    sweeper.sweep()
    assert bench.ledger.orphans("here") == 0, "a living runner lost its job"
    held.gen.close()  # the process ends: unlocked, and not removed
    sweeper.sweep()
    assert bench.ledger.orphans("here") == 1
    assert "here" in bench.queue.rings
    assert bench.claim_again().job.attempt == 1
    assert bench.runners.mended()["dead claim"] == 1
    bench.engine.remove_leftovers(claim.job_id)


def test_a_run_past_its_time_is_ended_though_nobody_watches_it(bench: Bench[ProcessEngine]) -> None:
    """BOX-9: its successor finds the time-out, not a killed program."""
    bench.limits = SMALL.model_copy(update={"timeout_seconds": 30})
    claim = bench.left_running(ENDLESS)
    sweeper = bench.sweeper()
    folder = folder_of(bench, claim)
    boot, seconds = (folder.path / "begun").read_text().split()
    (folder.path / "begun").write_text(f"{boot} {float(seconds) - 100}")
    sweeper.sweep()
    assert folder.stopped is None, "the run of a living lease is its holder's alone"
    bench.ledger._leases.take(claim.job_id, claim.token, -1.0)
    sweeper.sweep()
    assert folder.stopped is Stop.TIMEOUT
    job = bench.run(bench.claim_again())
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.TIMEOUT)
    assert "after 30 s" in (job.error_message or "")
    bench.assert_nothing_left()


def test_a_run_that_this_very_process_does_not_stop_in_time_is_ended(bench: Bench[ProcessEngine]) -> None:
    """BOX-9: its heart beats, and the thread that should watch it hangs: its own sweeper is there for that."""
    claim = bench.left_running(ENDLESS)
    folder = folder_of(bench, claim)
    boot, seconds = (folder.path / "begun").read_text().split()
    (folder.path / "begun").write_text(f"{boot} {float(seconds) - SMALL.timeout_seconds - 21}")
    bench.sweeper().sweep()
    assert folder.stopped is None
    bench.sweeper(in_hand={claim.job_id}).sweep()
    assert folder.stopped is Stop.TIMEOUT
    assert bench.run(claim).failure_reason is FailureReason.TIMEOUT


def test_results_that_wait_are_released_once_the_tracking_server_answers(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRK-5: and not before; it is not asked again at once."""
    bench.tracking.away = True
    bench.run(bench.claim(GOOD))
    sweeper = bench.sweeper()
    sweeper.sweep()
    assert (bench.ledger.waiting_results("here"), bench.ledger.orphans("here")) == (1, 0)
    bench.tracking.away = False
    monkeypatch.setattr(bench.ledger, "clock", lambda: time.time() + 2 * FIRST_SECONDS)
    sweeper.sweep()
    assert bench.run(bench.claim_again()).state is JobState.COMPLETED


def test_an_open_run_of_a_job_that_has_ended_is_closed_away(bench: Bench[ProcessEngine]) -> None:
    """TRK-5: no run stays open after its job; one that is being recorded is left alone, and one of an unknown job."""
    claim = bench.claim(GOOD)
    bench.tracking.begun = {"r1": (claim.job_id, "synthetic"), "r2": ("0" * 32, "synthetic")}
    sweeper = bench.sweeper()
    tidy(sweeper)
    assert set(bench.tracking.begun) == {"r1", "r2"}
    bench.run(claim)
    tidy(sweeper)
    assert set(bench.tracking.begun) == {"r2"}
    assert len(bench.tracking.results) == 1


def test_a_tracking_server_that_hangs_is_asked_nothing_that_may_take_long(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JOB-8: a cancel does not wait for the sweeper while that waits for an answer."""
    asked: list[str] = []
    monkeypatch.setattr(bench.tracking, "open_runs", lambda benchmark, **_site: asked.append(benchmark) or {})
    bench.tracking.away = True
    tidy(bench.sweeper())
    assert asked == []
    bench.tracking.away = False
    tidy(bench.sweeper())
    assert asked == ["synthetic"]


def test_what_an_earlier_claim_left_goes_and_the_present_run_stays(bench: Bench[ProcessEngine]) -> None:
    """BOX-10: a run that was repeated elsewhere meanwhile is nobody's any more."""
    claim = bench.left_running(ENDLESS)
    sweeper = bench.sweeper()
    sweeper.sweep()
    assert jobs_in(bench.engine) == {claim.job_id}
    bench.ledger.note(claim, sandbox="another")
    sweeper.sweep()
    assert jobs_in(bench.engine) == set()


@pytest.mark.parametrize("name", ["lost+found", "backup", "0123abcd-old"])
def test_a_folder_that_is_no_runs_stays(bench: Bench[ProcessEngine], name: str) -> None:
    """The root of a disk, or a folder that an admin uses for something else, too."""
    other = bench.root / "jobs" / name
    other.mkdir()
    os.utime(other, (1, 1))
    bench.sweeper().sweep()
    assert other.exists()


def test_a_folder_that_another_runner_removes_keeps_no_other_from_going(
    bench: Bench[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look at the same ones at the same time."""
    gone, stray = (bench.root / "jobs" / f"{digit * 32}-12345678" for digit in "01")
    stray.mkdir()
    os.utime(stray, (1, 1))
    monkeypatch.setattr(LeftFolders, "_there", lambda _self: [("0" * 32, gone), ("1" * 32, stray)])
    bench.sweeper().sweep()
    assert not stray.exists()


def test_a_sweep_that_is_over_begins_no_step(bench: Bench[ProcessEngine]) -> None:
    """Its process has begun its rounds, which do the same."""
    bench.engine.away = True
    claim = bench.claim("pass")
    bench.ledger.note(claim, sandbox="there")
    bench.ledger._leases.take(claim.job_id, claim.token, -1.0)
    bench.sweeper().sweep(lambda: True)
    assert bench.ledger.orphans("here") == 0
    bench.sweeper().sweep()
    assert bench.ledger.orphans("here") == 1


def test_folders_of_nobody_go_once_they_have_settled(bench: Bench[ProcessEngine]) -> None:
    """One that was made a moment ago may belong to a job that is being claimed."""
    claim = bench.left_running(ENDLESS)
    stray = bench.root / "jobs" / f"{'0' * 32}-12345678"
    stray.mkdir()
    sweeper = bench.sweeper()
    sweeper.sweep()
    assert stray.exists()
    for folder in (stray, folder_of(bench, claim).path):
        os.utime(folder, (time.time() - 100, time.time() - 100))
    sweeper.sweep()
    assert not stray.exists()
    assert folder_of(bench, claim).config.is_dir()
    bench.ledger.finish(claim, Outcome(state=JobState.FAILED))
    folder_of(bench, claim).begin()
    sweeper.sweep()
    assert not folder_of(bench, claim).path.exists(), "an ended job's folder stayed"
