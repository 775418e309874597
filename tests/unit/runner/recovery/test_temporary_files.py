"""What killed processes left half-made: it goes once it has settled, and what is in the making stays."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from core.domain.job import JobState, Outcome
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import TwinRunner, tidy

pytestmark = pytest.mark.unit


def aged(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    os.utime(path, (time.time() - 100, time.time() - 100))
    return path


def test_a_copy_of_a_log_goes_once_nobody_will_need_it(runner: TwinRunner[ProcessEngine]) -> None:
    """LOG-1: the log itself stays, and so does the copy of a job that is still to be taken over."""
    claim = runner.claim("pass")
    logs = runner.root / "logs"
    copy, log = aged(logs / f".{claim.job_id}.log.0123abcd"), aged(logs / f"{claim.job_id}.log")
    stray = aged(logs / f".{'0' * 32}.log.0123abcd")
    other = aged(logs / ".somebody.log.else")
    young = logs / f".{'1' * 32}.log.0123abcd"
    young.write_text("x")
    sweeper = runner.sweeper()
    tidy(sweeper)
    assert [path.exists() for path in (copy, log, stray, other, young)] == [True, True, False, True, True]
    runner.ledger.finish(claim, Outcome(state=JobState.FAILED))
    tidy(sweeper)
    assert [path.exists() for path in (copy, log)] == [False, True]
    assert runner.runners.mended()["temporary file"] == 2


def test_a_lock_that_never_got_its_name_goes_with_its_process(runner: TwinRunner[ProcessEngine]) -> None:
    """One that a living process holds stays, and so does another host's."""
    folder = runner.root / "jobs" / ".held"
    dead, alive, other = (aged(folder / f".{name}") for name in ("here-a-1", "here-b-2", "there-c-3"))
    with alive.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.utime(alive, (time.time() - 100, time.time() - 100))
        tidy(runner.sweeper())
        assert [path.exists() for path in (dead, alive, other)] == [False, True, True]


def test_a_lock_of_an_engine_that_was_wiped_goes_with_its_job(runner: TwinRunner[ProcessEngine]) -> None:
    """It has another name since, so that no runner looks for what it held before; what a job that goes on has stays."""
    claim, over = runner.claim("pass"), "0" * 32
    folder = runner.root / "jobs" / ".held"
    gone, kept = aged(folder / f"there-{over}-12345678"), aged(folder / f"there-{claim.job_id}-12345678")
    tidy(runner.sweeper())
    assert [path.exists() for path in (gone, kept)] == [False, True]
