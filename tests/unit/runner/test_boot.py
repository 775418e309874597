"""A runner process that cannot open its parts: it waits a while and ends, and never answers a bell with nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dramatiq.brokers.stub import StubBroker

import runner.main
from core.domain.errors import Unavailable
from core.settings import Settings
from runner.main import Life

pytestmark = pytest.mark.unit


def life(monkeypatch: pytest.MonkeyPatch, begin: Callable[[], None]) -> tuple[Life, StubBroker]:
    made = Life(Settings(), StubBroker(middleware=[]), host="here")  # type: ignore[arg-type] none of it is asked
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

    _life, broker = life(monkeypatch, begin)
    broker.emit_after("process_boot")
    assert len(tries) == 3


@pytest.mark.parametrize("error", [Unavailable("The job ledger (Redis)", "away"), ValueError("a mistake of ours")])
def test_a_process_that_cannot_begin_ends(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Dramatiq swallows what a middleware raises: it would live on and answer every bell with nothing."""
    monkeypatch.setattr(runner.main, "BOOT_SECONDS", -1.0)

    def begin() -> Any:
        raise error

    _life, broker = life(monkeypatch, begin)
    with pytest.raises(SystemExit, match="runner: "):
        broker.emit_after("process_boot")
