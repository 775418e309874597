"""Jobs: states and moves, and the identity of a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.job import FINAL, MOVES, Claim, JobState
from tests.builders import job, job_id, request

pytestmark = pytest.mark.unit

CONFIG = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()))


def test_every_state_has_its_row() -> None:
    """The table of moves covers the enum and leads only to states of it."""
    assert set(MOVES) == set(JobState)
    assert {state for moves in MOVES.values() for state in moves} <= set(JobState)


def test_final_states_are_the_three_ends() -> None:
    """JOB-3: completed, failed and cancelled never change; pending and running can reach an end."""
    assert {JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED} == FINAL
    assert all(not MOVES[state] for state in FINAL)
    assert all(MOVES[state] & FINAL for state in set(JobState) - FINAL)


def test_a_job_that_never_ran_is_never_completed() -> None:
    """Results come only from running."""
    assert JobState.COMPLETED not in MOVES[JobState.PENDING]


@pytest.mark.parametrize("state", list(JobState))
def test_a_job_knows_whether_it_has_ended(state: JobState) -> None:
    """`is_final` follows the table."""
    assert job(state=state).is_final is (state in FINAL)


def test_a_claim_carries_its_jobs_id() -> None:
    """The runner names a claim by its job."""
    assert Claim(job=job(), token="t").job_id == job_id(1)


def test_the_same_request_is_the_same_job() -> None:
    """JOB-2: equal content, whatever the order of its keys, is one id of 32 hex digits."""
    one = request(overrides={"a": 1, "b": {"x": 1, "y": 2}})
    other = request(overrides={"b": {"y": 2, "x": 1}, "a": 1})
    assert one.job_id == other.job_id
    assert len(one.job_id) == 32
    assert int(one.job_id, 16) >= 0


@pytest.mark.parametrize(
    "changes",
    [
        {"submission_id": job_id(901)},
        {"user_id": "bob"},
        {"resource_class": "medium"},
        {"benchmark": "other"},
        {"overrides": {"a": 1}},
        {"idempotency_key": "again"},
    ],
)
def test_each_part_of_a_request_counts(changes: dict[str, object]) -> None:
    """JOB-2: another user, submission, class, benchmark, configuration or key is another job."""
    assert request(**changes).job_id != request().job_id


def test_parts_cannot_be_shifted_into_each_other() -> None:
    """No two different requests read the same once joined."""
    assert request(user_id="ab", submission_id="c").job_id != request(user_id="a", submission_id="bc").job_id
    assert request(user_id='a","b').job_id != request(user_id="a", submission_id='b","x').job_id


@given(CONFIG, CONFIG)
def test_ids_are_equal_only_for_equal_configurations(one: dict, other: dict) -> None:
    """The id is a function of the content, and no other content shares it."""
    same = request(overrides=one).job_id == request(overrides=other).job_id
    assert same is (repr(sorted(one.items())) == repr(sorted(other.items())))
