"""The sweeper: what it mends, and what it leaves alone."""

from __future__ import annotations

import os
import time

import pytest

from core.domain.job import Claim, JobState, Outcome
from core.domain.limits import SMALL
from core.domain.recording_pace import FIRST_SECONDS
from core.domain.verdict import FailureReason, Stop
from runner.recovery.left_folders import LeftFolders
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner, jobs_in, tidy

pytestmark = pytest.mark.unit

ENDLESS = "import time; print('begun'); time.sleep(60)"


def folder_of(runner: TwinRunner[ProcessEngine], claim: Claim) -> RunFolder:
    return RunFolder(path=runner.root / "jobs" / f"{claim.job_id}-{claim.job.sandbox}")


def test_a_dead_runner_is_known_without_waiting_for_its_lease(runner: TwinRunner[ProcessEngine]) -> None:
    """The kernel unlocks what a killed process held; the run waits for its next runner, who is called."""
    claim = runner.left_running(ENDLESS)
    sweeper = runner.sweeper()
    held = runner.claim_locks.holding(claim)
    held.__enter__()
    sweeper.sweep()
    assert runner.ledger.orphans("here") == 0, "a living runner lost its job"
    held.gen.close()  # the process ends: unlocked, and not removed
    sweeper.sweep()
    assert runner.ledger.orphans("here") == 1
    assert "here" in runner.queue.rings
    assert runner.claim_again().job.attempt == 1
    assert runner.runners.mended()["dead claim"] == 1
    runner.engine.remove_leftovers(claim.job_id)


def test_a_run_past_its_time_is_ended_though_nobody_watches_it(runner: TwinRunner[ProcessEngine]) -> None:
    """BOX-9: its successor finds the time-out, not a killed program."""
    runner.limits = SMALL.model_copy(update={"timeout_seconds": 30})
    claim = runner.left_running(ENDLESS)
    sweeper = runner.sweeper()
    folder = folder_of(runner, claim)
    boot, seconds = (folder.path / "started").read_text().split()
    (folder.path / "started").write_text(f"{boot} {float(seconds) - 100}")
    sweeper.sweep()
    assert folder.stopped is None, "the run of a living lease is its holder's alone"
    runner.ledger._leases.take(claim.job_id, claim.token, -1.0)
    sweeper.sweep()
    assert folder.stopped is Stop.TIMEOUT
    job = runner.run(runner.claim_again())
    assert (job.state, job.failure_reason) == (JobState.FAILED, FailureReason.TIMEOUT)
    assert "after 30 s" in (job.error_message or "")
    runner.assert_nothing_left()


def test_a_run_that_this_very_process_does_not_stop_in_time_is_ended(runner: TwinRunner[ProcessEngine]) -> None:
    """BOX-9: its heart beats, and the thread that should watch it hangs: its own sweeper is there for that."""
    claim = runner.left_running(ENDLESS)
    folder = folder_of(runner, claim)
    boot, seconds = (folder.path / "started").read_text().split()
    (folder.path / "started").write_text(f"{boot} {float(seconds) - SMALL.timeout_seconds - 21}")
    runner.sweeper().sweep()
    assert folder.stopped is None
    runner.sweeper(in_hand={claim.job_id}).sweep()
    assert folder.stopped is Stop.TIMEOUT
    assert runner.run(claim).failure_reason is FailureReason.TIMEOUT


def test_results_that_wait_are_released_once_the_tracking_server_answers(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRK-5: and not before; it is not asked again at once."""
    runner.tracking.away = True
    runner.run(runner.claim(GOOD))
    sweeper = runner.sweeper()
    sweeper.sweep()
    assert (runner.ledger.waiting_results("here"), runner.ledger.orphans("here")) == (1, 0)
    runner.tracking.away = False
    monkeypatch.setattr(runner.ledger, "clock", lambda: time.time() + 2 * FIRST_SECONDS)
    sweeper.sweep()
    assert runner.run(runner.claim_again()).state is JobState.COMPLETED


def test_an_open_run_of_a_job_that_has_ended_is_closed_away(runner: TwinRunner[ProcessEngine]) -> None:
    """TRK-5: no run stays open after its job; one that is being recorded is left alone, and one of an unknown job."""
    claim = runner.claim(GOOD)
    runner.tracking.begun = {"r1": (claim.job_id, "synthetic"), "r2": ("0" * 32, "synthetic")}
    sweeper = runner.sweeper()
    tidy(sweeper)
    assert set(runner.tracking.begun) == {"r1", "r2"}
    runner.run(claim)
    tidy(sweeper)
    assert set(runner.tracking.begun) == {"r2"}
    assert len(runner.tracking.results) == 1


def test_a_tracking_server_that_hangs_is_asked_nothing_that_may_take_long(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JOB-8: a cancel does not wait for the sweeper while that waits for an answer."""
    asked: list[str] = []
    monkeypatch.setattr(runner.tracking, "open_runs", lambda benchmark, **_site: asked.append(benchmark) or {})
    runner.tracking.away = True
    tidy(runner.sweeper())
    assert asked == []
    runner.tracking.away = False
    tidy(runner.sweeper())
    assert asked == ["synthetic"]


def test_what_an_earlier_claim_left_goes_and_the_present_run_stays(runner: TwinRunner[ProcessEngine]) -> None:
    """BOX-10: a run that was repeated elsewhere meanwhile is nobody's any more."""
    claim = runner.left_running(ENDLESS)
    sweeper = runner.sweeper()
    sweeper.sweep()
    assert jobs_in(runner.engine) == {claim.job_id}
    runner.ledger.note(claim, sandbox="another")
    sweeper.sweep()
    assert jobs_in(runner.engine) == set()


@pytest.mark.parametrize("name", ["lost+found", "backup", "0123abcd-old"])
def test_a_folder_that_is_no_runs_stays(runner: TwinRunner[ProcessEngine], name: str) -> None:
    """The root of a disk, or a folder that an admin uses for something else, too."""
    other = runner.root / "jobs" / name
    other.mkdir()
    os.utime(other, (1, 1))
    runner.sweeper().sweep()
    assert other.exists()


def test_a_folder_that_another_runner_removes_keeps_no_other_from_going(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look at the same ones at the same time."""
    gone, stray = (runner.root / "jobs" / f"{digit * 32}-12345678" for digit in "01")
    stray.mkdir()
    os.utime(stray, (1, 1))
    monkeypatch.setattr(LeftFolders, "_there", lambda _self: [("0" * 32, gone), ("1" * 32, stray)])
    runner.sweeper().sweep()
    assert not stray.exists()


def test_a_sweep_that_is_over_begins_no_step(runner: TwinRunner[ProcessEngine]) -> None:
    """Its process has begun its rounds, which do the same."""
    runner.engine.away = True
    claim = runner.claim("pass")
    runner.ledger.note(claim, sandbox="there")
    runner.ledger._leases.take(claim.job_id, claim.token, -1.0)
    runner.sweeper().sweep(lambda: True)
    assert runner.ledger.orphans("here") == 0
    runner.sweeper().sweep()
    assert runner.ledger.orphans("here") == 1


def test_folders_of_nobody_go_once_they_have_settled(runner: TwinRunner[ProcessEngine]) -> None:
    """One that was made a moment ago may belong to a job that is being claimed."""
    claim = runner.left_running(ENDLESS)
    stray = runner.root / "jobs" / f"{'0' * 32}-12345678"
    stray.mkdir()
    sweeper = runner.sweeper()
    sweeper.sweep()
    assert stray.exists()
    for folder in (stray, folder_of(runner, claim).path):
        os.utime(folder, (time.time() - 100, time.time() - 100))
    sweeper.sweep()
    assert not stray.exists()
    assert folder_of(runner, claim).config.is_dir()
    runner.ledger.finish(claim, Outcome(state=JobState.FAILED))
    folder_of(runner, claim).begin()
    sweeper.sweep()
    assert not folder_of(runner, claim).path.exists(), "an ended job's folder stayed"
