"""Repeated steps: one that fails or breaks keeps no other from its turns."""

from __future__ import annotations

import threading

import pytest

from core.domain.errors import Unavailable
from runner.recovery.periodic import Round

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
    """One that is due again at once has more turns than one that is due in a minute."""
    turns: list[str] = []
    ended = threading.Event()

    def often() -> None:
        turns.append("often")
        if turns.count("often") == 3:
            ended.set()

    Round(part="all", steps=((0.0, often), (60.0, lambda: turns.append("seldom")))).run(ended)
    assert turns.count("seldom") == 1
