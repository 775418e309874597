"""The ledger's twin takes no move that is not in the table, so that every test that uses it checks the table."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from core.domain.job import MOVES, JobState, Phase
from tests.builders import job
from tests.twins.job_status import MemoryJobStatus

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("before", "after"), list(product(JobState, JobState)))
def test_only_moves_of_the_table_are_made(before: JobState, after: JobState) -> None:
    ledger = MemoryJobStatus()
    known = ledger.restore(job(state=before))
    if after in MOVES[before]:
        assert ledger._move(known, after, phase=Phase.DONE).state is after
        return
    with pytest.raises(AssertionError, match="cannot become"):
        ledger._move(known, after, phase=Phase.DONE)
    with pytest.raises(AssertionError, match="cannot become"):  # whatever the copy in hand says
        ledger._move(replace(known, state=JobState.RUNNING), before, phase=Phase.DONE)


def test_no_state_changes_without_a_move() -> None:
    ledger = MemoryJobStatus()
    known = ledger.restore(job(state=JobState.PENDING))
    with pytest.raises(AssertionError, match="without a move"):
        ledger._store(replace(known, state=JobState.RUNNING))
