"""The sweeper's rounds: a part that hangs or breaks holds up no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from core.domain.errors import Unavailable
from core.domain.job import JobState
from runner.recovery.periodic import Round, begin
from tests.process_sandbox import ProcessEngine
from tests.runner_bench import Bench, jobs_in, when

pytestmark = pytest.mark.unit


def test_a_step_that_fails_or_breaks_keeps_no_other_from_its_turns() -> None:
    turns: list[str] = []
    ended = threading.Event()

    def away() -> None:
        turns.append("away")
        raise Unavailable("A part", "it is away")

    def broken() -> None:
        turns.append("broken")
        raise ZeroDivisionError

    def good() -> None:
        turns.append("good")
        if turns.count("good") == 3:
            ended.set()

    Round(part="all", steps=((0.01, away), (0.01, broken), (0.01, good))).run(ended)
    assert min(turns.count(name) for name in ("away", "broken", "good")) >= 3


def test_each_step_has_a_pace_of_its_own() -> None:
    often, seldom, ended = [], [], threading.Event()
    stop = threading.Timer(1.0, ended.set)
    stop.start()
    Round(part="all", steps=((0.05, lambda: often.append(1)), (60.0, lambda: seldom.append(1)))).run(ended)
    assert len(often) >= 3
    assert len(seldom) == 1


def hanging(bench: Bench[ProcessEngine]) -> Mapping[str, tuple[object, str, Collection[str]]]:
    """What each part is asked, and its answer when it has nothing."""
    return {
        "tracking": (bench.tracking, "open_runs", {}),
        "engine": (bench.engine, "runs", set()),
        "locks": (bench.held, "dead", ()),
        "folders": (bench.janitor.processes, "forget", ()),
    }


@pytest.mark.parametrize("part", ["tracking", "engine", "locks", "folders"])
def test_a_part_that_hangs_does_not_keep_a_cancel_waiting(tmp_path: Path, part: str) -> None:
    """JOB-8: who is asked for seconds on end is another than who looks for cancels, bells and lost runners."""
    bench = Bench(tmp_path, ProcessEngine(tmp_path / "engine"))
    bench.lease_seconds = 0.2
    claim = bench.claim("print('never begun')")
    bench.ledger.note(claim, sandbox="there")
    hangs, ended = threading.Event(), threading.Event()
    sweeper = bench.sweeper()

    def hang(*_asked: object, **_site: object) -> Collection[str]:
        hangs.wait(30)
        return nothing

    asked, name, nothing = hanging(bench)[part]
    setattr(asked, name, hang)
    begin(sweeper.rounds(0.05), ended)
    time.sleep(0.3)  # by now it hangs
    bench.ledger.cancel(claim.job_id)
    cancelled = when(lambda: bench.ledger.get(claim.job_id).state is JobState.CANCELLED, lambda: None)
    cancelled.join()
    ended.set()
    hangs.set()
    assert bench.ledger.get(claim.job_id).state is JobState.CANCELLED


def test_a_jobs_disk_that_hangs_keeps_no_cancelled_run_in_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JOB-8: what is looked for on that disk is looked for in other threads."""
    bench = Bench(tmp_path, ProcessEngine(tmp_path / "engine"))
    bench.lease_seconds = 0.2
    claim = bench.left_running("import time; print('begun'); time.sleep(60)")
    hangs, ended = threading.Event(), threading.Event()
    for part, step in ((bench.held, "dead"), (bench.janitor.processes, "forget")):
        monkeypatch.setattr(part, step, lambda: hangs.wait(30) and ())
    begin(bench.sweeper().rounds(0.05), ended)
    time.sleep(0.3)  # by now both hang
    bench.ledger.cancel(claim.job_id)
    when(lambda: jobs_in(bench.engine) == set(), lambda: None).join()
    ended.set()
    hangs.set()
    assert jobs_in(bench.engine) == set()
