"""A user id for each run that no other run in the engine has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.domain.errors import Unavailable
from runner.engine.container_spec import SLOTS
from runner.engine.output import user_ids as slots

pytestmark = pytest.mark.unit


def engine(*taken: object) -> Any:
    labels = [{"Labels": {"leadersboard.slot": str(slot)}} for slot in taken]
    return SimpleNamespace(api=SimpleNamespace(containers=lambda **_filters: labels))


def test_a_free_slot_is_one_that_nobody_has() -> None:
    """Whoever they belong to, and whatever else a label may say."""
    all_but_two = [slot for slot in SLOTS if slot not in {5, 900}]
    assert {next(slots.free(engine(*all_but_two, "odd"))) for _ in range(50)} == {5, 900}


def test_of_two_that_took_the_same_one_the_later_looker_gives_way() -> None:
    assert slots.is_alone(engine(4, 5), 4)
    assert not slots.is_alone(engine(4, 4), 4)


def test_an_engine_full_of_runs_has_none() -> None:
    with pytest.raises(Unavailable, match="no user id"):
        next(slots.free(engine(*SLOTS)))
