"""The sweeper's rounds: a part that hangs holds up no other."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

import pytest

from core.domain.job import JobState
from runner.recovery.periodic import begin
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import TwinRunner, jobs_in, when

pytestmark = [pytest.mark.unit, pytest.mark.slow]


def asked_of(runner: TwinRunner[ProcessEngine]) -> Mapping[str, tuple[object, str, Collection[str]]]:
    """What each part is asked, and its answer when it has nothing."""
    return {
        "tracking": (runner.tracking, "open_runs", {}),
        "engine": (runner.engine, "runs", set()),
        "locks": (runner.claim_locks, "dead", ()),
        "folders": (runner.janitor.processes, "forget", ()),
    }


@pytest.mark.parametrize("part", ["tracking", "engine", "locks", "folders"])
def test_a_part_that_hangs_does_not_keep_a_cancel_waiting(runner: TwinRunner[ProcessEngine], part: str) -> None:
    """JOB-8: who is asked for seconds on end is another than who looks for cancels, bells and lost runners."""
    runner.lease_seconds = 0.2
    claim = runner.claim("print('never begun')")
    runner.ledger.note(claim, sandbox="there")
    hanging, hangs, ended = threading.Event(), threading.Event(), threading.Event()
    sweeper = runner.sweeper()

    def hang(*_asked: object, **_site: object) -> Collection[str]:
        hanging.set()
        hangs.wait(30)
        return nothing

    asked, name, nothing = asked_of(runner)[part]
    setattr(asked, name, hang)
    begin(sweeper.rounds(0.05), ended)
    assert hanging.wait(20)
    runner.ledger.cancel(claim.job_id)
    cancelled = when(lambda: runner.ledger.get(claim.job_id).state is JobState.CANCELLED, lambda: None)
    cancelled.join()
    ended.set()
    hangs.set()
    assert runner.ledger.get(claim.job_id).state is JobState.CANCELLED


def test_a_jobs_disk_that_hangs_keeps_no_cancelled_run_in_the_engine(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JOB-8: what is looked for on that disk is looked for in other threads."""
    runner.lease_seconds = 0.2
    claim = runner.left_running("import time; print('begun'); time.sleep(60)")
    hanging, hangs, ended = threading.Semaphore(0), threading.Event(), threading.Event()

    def hang() -> Collection[str]:
        hanging.release()
        hangs.wait(30)
        return ()

    for part, step in ((runner.claim_locks, "dead"), (runner.janitor.processes, "forget")):
        monkeypatch.setattr(part, step, hang)
    begin(runner.sweeper().rounds(0.05), ended)
    assert hanging.acquire(timeout=120)
    assert hanging.acquire(timeout=120)
    runner.ledger.cancel(claim.job_id)
    when(lambda: jobs_in(runner.engine) == set(), lambda: None).join()
    ended.set()
    hangs.set()
    assert jobs_in(runner.engine) == set()
