"""A failed step is kept for admins."""

from __future__ import annotations

import pytest

from core.domain.errors import Unavailable
from runner.dead_letters import DeadLetterWriter
from tests.twins.dead_letters import MemoryDeadLetters

pytestmark = pytest.mark.unit


def test_a_letter_that_cannot_be_kept_hides_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = MemoryDeadLetters()

    def away(*_args: object) -> None:
        raise Unavailable("Redis")

    monkeypatch.setattr(letters, "keep", away)
    DeadLetterWriter(dead_letters=letters).keep("step", OSError("x"))


def test_a_step_that_breaks_leaves_a_letter_and_one_that_fails_none() -> None:
    """What fails is tried again by itself; what breaks is a fault of ours."""
    letters = MemoryDeadLetters()

    def step() -> None:
        raise failure

    for failure in (Unavailable("Redis"), OSError("full"), ZeroDivisionError("ours")):
        with pytest.raises(type(failure)):
            DeadLetterWriter(dead_letters=letters).keeping(step)()
    (letter,) = letters.page().letters
    assert (letter.failure.step, letter.failure.error) == ("sweep step", "ZeroDivisionError")
