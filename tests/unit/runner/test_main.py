"""A runner process that cannot open its parts: it waits a while and ends, and never answers a bell with nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dramatiq.brokers.stub import StubBroker

import runner.main
from core.domain.errors import Unavailable
from core.settings import Settings
from runner.main import WorkerProcess, sweep_first
from tests.process_sandbox import ProcessEngine
from tests.twin_runner import TwinRunner, when

pytestmark = pytest.mark.unit


def booting(monkeypatch: pytest.MonkeyPatch, begin: Callable[[], None]) -> tuple[WorkerProcess, StubBroker]:
    made = WorkerProcess(Settings(), StubBroker(middleware=[]), host="here")  # type: ignore[arg-type] none of it is asked
    broker = StubBroker(middleware=[made])
    monkeypatch.setattr(made, "_begin", begin)
    monkeypatch.setattr(runner.main.time, "sleep", lambda _seconds: None)
    return made, broker


def test_a_part_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis reads its file, the engine is on its way: a host that was started anew."""
    tries: list[int] = []

    def begin() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("The job ledger (Redis)", "BusyLoadingError")

    _process, broker = booting(monkeypatch, begin)
    broker.emit_after("process_boot")
    assert len(tries) == 3


@pytest.mark.parametrize("error", [Unavailable("The job ledger (Redis)", "away"), ValueError("a mistake of ours")])
def test_a_process_that_cannot_begin_ends(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Dramatiq swallows what a middleware raises: it would live on and answer every bell with nothing."""
    monkeypatch.setattr(runner.main, "BOOT_SECONDS", -1.0)

    def begin() -> Any:
        raise error

    _process, broker = booting(monkeypatch, begin)
    with pytest.raises(SystemExit, match="runner: "):
        broker.emit_after("process_boot")


def test_a_first_sweep_that_hangs_keeps_no_process_from_its_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage may hang for ever; a step that is under way then is the last one of that sweep."""
    monkeypatch.setattr(runner.main, "FIRST_SWEEP_SECONDS", 0.05)
    twin = TwinRunner(tmp_path, ProcessEngine(tmp_path / "engine"))
    hangs, steps = threading.Event(), []

    def dead() -> Iterator[tuple[str, str]]:
        hangs.wait(60)
        steps.append("locks")
        return iter(())

    monkeypatch.setattr(twin.claim_locks, "dead", dead)
    monkeypatch.setattr(twin.engine, "runs", lambda **_site: steps.append("engine") or set())
    sweep_first(twin.sweeper())
    assert steps == []
    hangs.set()
    when(lambda: not any(thread.name == "first sweep" for thread in threading.enumerate()), lambda: None).join()
    assert steps == ["locks"]
