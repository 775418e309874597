"""The launch: what it waits for, what ends it before anything runs, and what a killed launch costs."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.job import Claim, JobState
from core.domain.limits import SMALL, GpuPolicy, ResourceClass
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import GOOD, TwinRunner, when

pytestmark = pytest.mark.unit


@pytest.mark.slow
def test_a_submission_that_was_put_aside_is_waited_for(runner: TwinRunner[ProcessEngine]) -> None:
    """RUN-7: retention gives it back once it has seen the job, which costs that nothing."""
    claim = runner.claim(GOOD)
    folder = runner.root / "submissions" / claim.job.submission_id
    aside = folder.with_name(".aside")
    folder.rename(aside)
    back = threading.Timer(0.5, lambda: aside.rename(folder))
    back.start()
    job = runner.run(claim)
    back.join()
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1)


@pytest.mark.parametrize(
    ("policy", "devices", "device", "state"),
    [
        (GpuPolicy.AUTO, ("GPU-a",), "gpu GPU-a", JobState.COMPLETED),
        (GpuPolicy.AUTO, (), "cpu", JobState.COMPLETED),
        (GpuPolicy.NONE, ("GPU-a",), "cpu", JobState.COMPLETED),
        (GpuPolicy.REQUIRED, (), None, JobState.FAILED),
    ],
)
def test_the_job_says_which_device_it_got(
    runner: TwinRunner[ProcessEngine], policy: GpuPolicy, devices: tuple[str, ...], device: str | None, state: JobState
) -> None:
    """BOX-5: one whole device where there is any, else the CPU; a class that needs one is told so."""
    runner.limits = ResourceClass(**SMALL.model_dump() | {"gpus": policy})
    runner.engine.devices = devices
    job = runner.run(runner.claim(GOOD))
    assert (job.state, job.device) == (state, device)
    if state is JobState.FAILED:
        assert "needs a GPU" in (job.error_message or "")
    runner.assert_nothing_left()


@pytest.mark.slow
def test_a_taken_device_is_waited_for(runner: TwinRunner[ProcessEngine]) -> None:
    """BOX-5: devices are never shared."""
    runner.engine.devices, runner.engine.taken = ("GPU-a",), {"GPU-a"}
    claim = runner.claim(GOOD)
    freed = when((runner.root / "gpus.lock").exists, runner.engine.taken.clear)
    assert runner.run(claim).device == "gpu GPU-a"
    freed.join()


def test_a_cancelled_job_does_not_wait_for_a_device(runner: TwinRunner[ProcessEngine]) -> None:
    """JOB-8: nothing of it is ever started."""
    runner.engine.devices, runner.engine.taken = ("GPU-a",), {"GPU-a"}
    claim = runner.claim(GOOD)
    runner.ledger.cancel(claim.job_id)
    assert runner.run(claim).state is JobState.CANCELLED
    assert runner.engine.launched == []


def test_a_job_that_is_cancelled_before_its_launch_gets_no_container(runner: TwinRunner[ProcessEngine]) -> None:
    """JOB-8: also when nothing has to be waited for; what nobody wants any more is not begun."""
    claim = runner.claim(GOOD)
    runner.ledger.cancel(claim.job_id)
    job = runner.run(claim)
    assert (job.state, runner.engine.launched) == (JobState.CANCELLED, [])
    assert "Cancelled before it started" in runner.log_of(job)
    runner.assert_nothing_left()


def test_a_ledger_that_is_away_at_the_launch_costs_no_attempt(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """REL-2: what it must know is told before anything is started."""
    note, calls = runner.ledger.note, []

    def away_at_times(claim: Claim, **changes: Any) -> None:
        calls.append(changes)
        if len(calls) % 2:
            raise Unavailable("The ledger", "it is away")
        note(claim, **changes)

    monkeypatch.setattr(runner.ledger, "note", away_at_times)
    monkeypatch.setattr("runner.lease.lease.RETRY_SECONDS", 0.05)
    job = runner.run(runner.claim(GOOD))
    assert (job.state, job.attempt, len(runner.engine.launched)) == (JobState.COMPLETED, 1, 1)


def test_a_runner_that_ends_during_the_launch_costs_no_attempt(runner: TwinRunner[ProcessEngine]) -> None:
    """Begun on disk, unknown to the engine, nothing printed: it is run under a claim of its own."""
    first = killed_during_launch(runner)
    assert runner.run(runner.claim_again()).state is JobState.PENDING
    second = runner.claim_again()
    job = runner.run(second)
    assert (job.state, job.attempt, job.sandbox) == (JobState.COMPLETED, 1, second.mark)
    assert second.mark != first.mark
    runner.assert_nothing_left()


def test_a_started_run_that_the_engine_lost_with_its_runner_costs_an_attempt(runner: TwinRunner[ProcessEngine]) -> None:
    """Then the submission may have run for long."""
    first = killed_during_launch(runner)
    RunFolder(path=runner.root / "jobs" / f"{first.job_id}-{first.mark}").start()
    runner.run(runner.claim_again())
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt) == (JobState.COMPLETED, 2)


def killed_during_launch(runner: TwinRunner[ProcessEngine]) -> Claim:
    """As a killed runner leaves it: in the ledger and on disk, with nothing in the engine; to be taken over."""
    claim = runner.claim(GOOD)
    runner.ledger.note(claim, sandbox=claim.mark)
    RunFolder.make(runner.root / "jobs" / f"{claim.job_id}-{claim.mark}").begin()
    runner.ledger.presume_dead(claim.job_id, claim.mark)
    runner.sweep()
    return claim


@pytest.mark.parametrize("held", [True, False])
def test_a_run_gets_the_sites_weights_if_there_are_any(runner: TwinRunner[ProcessEngine], *, held: bool) -> None:
    """FLD-6."""
    folder = runner.root / "weights"
    folder.mkdir()
    if held:
        (folder / "w.bin").touch()
    assert runner.run(runner.claim(GOOD)).state == JobState.COMPLETED
    assert runner.engine.launched[0].weights == (folder if held else None)
