"""A job as the fields of a Redis hash, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.redis.job_record import cursor_score, job_from, moment, outcome_fields
from core.domain.errors import InvalidInput
from core.domain.job import JobState, Outcome, Phase
from core.domain.verdict import FailureReason
from tests.builders import NOON, job_id, later

pytestmark = pytest.mark.unit

FIELDS = {
    "job_id": job_id(1),
    "submission_id": job_id(2),
    "user_id": "ada",
    "resource_class": "small",
    "benchmark": "synthetic",
    "overrides": '{"epochs": 3}',
    "status": "pending",
    "phase": "queued",
    "attempt": "0",
    "created_at": f"{NOON.timestamp():.6f}",
    "updated_at": f"{later(1).timestamp():.6f}",
}


def test_reads_a_fresh_job() -> None:
    """What a hash does not hold yet is absent."""
    found = job_from(FIELDS)
    assert (found.state, found.phase, found.attempt) == (JobState.PENDING, Phase.QUEUED, 0)
    assert (found.created_at, found.updated_at) == (NOON, later(1))
    assert found.overrides == {"epochs": 3}
    assert (found.started_at, found.finished_at, found.run_id, found.failure_reason, found.device) == (None,) * 5
    assert found.cancel_requested is False
    assert found.peaks == {}


def test_reads_a_finished_job() -> None:
    """All that a run adds."""
    ended = outcome_fields(
        Outcome(state=JobState.FAILED, reason=FailureReason.TIMEOUT, message="late", run_id="r", peaks={"pids": 3})
    )
    times = {"started_at": f"{later(2).timestamp()}", "finished_at": f"{later(3).timestamp()}"}
    found = job_from(FIELDS | ended | times | {"status": "failed", "cancel_requested": "1", "device": "cpu"})
    assert (found.failure_reason, found.error_message, found.run_id) == (FailureReason.TIMEOUT, "late", "r")
    assert (found.started_at, found.finished_at) == (later(2), later(3))
    assert found.peaks == {"pids": 3}
    assert found.cancel_requested
    assert found.is_final


def test_reads_what_does_not_count_of_a_report() -> None:
    """FLD-3, FLD-4: as it was written; nothing in the record of an older runner."""
    told = Outcome(state=JobState.COMPLETED, notes=("精度", "b"), ranked=False, unranked_because="why")
    found = job_from(FIELDS | outcome_fields(told))
    assert (found.notes, found.ranked, found.unranked_because) == (("精度", "b"), False, "why")
    assert job_from(FIELDS | outcome_fields(Outcome(state=JobState.COMPLETED, ranked=True))).ranked is True
    assert (job_from(FIELDS).notes, job_from(FIELDS).ranked, job_from(FIELDS).unranked_because) == ((), None, None)


def test_an_outcome_writes_only_what_it_has() -> None:
    """An absent value makes no empty field."""
    assert outcome_fields(Outcome(state=JobState.COMPLETED, run_id="r")) == {"run_id": "r"}


@pytest.mark.parametrize(
    "text", ["", "x", "1", "-1.000000", "nan", "inf", "1e400", "1.0000001", "1.000000\n", "²" + ".000000"]
)
def test_a_cursor_that_is_none_of_ours_is_refused(text: str) -> None:
    """Only what a list gave out, so that nothing else reaches a range of the ledger."""
    with pytest.raises(InvalidInput, match="cursor"):
        cursor_score(text)


@given(st.floats(0, 10**11))
def test_a_cursor_reads_back_as_it_was_written(score: float) -> None:
    """Six digits after the dot, as times of the ledger have."""
    assert cursor_score(f"{score:.6f}") == float(f"{score:.6f}")


def test_moments_are_utc() -> None:
    """Seconds since 1970, to the microsecond."""
    assert moment("1767355200.000001").isoformat() == "2026-01-02T12:00:00.000001+00:00"
