"""The ledger's contract for cancels of runs without a runner, and for results that are sealed."""

from __future__ import annotations

import time

import pytest

from core.domain.errors import Conflict, LeaseLost
from core.domain.job import JobState, Outcome
from core.ports.job_status import Swept
from tests.contract.conftest import AnyLedger
from tests.contract.taken_over import HOST, Ledger
from tests.twins.job_status import MemoryJobStatus

pytestmark = pytest.mark.contract


@pytest.fixture
def ledger(any_ledger: AnyLedger) -> Ledger:
    return Ledger(jobs=any_ledger.jobs, rates=any_ledger.rates)


def test_a_cancel_that_nobody_obeys_is_carried_out(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """JOB-8: also with a runner that lives and does nothing; whatever it says later does not count."""
    claim = ledger.launched()
    ledger.jobs.cancel(claim.job_id)
    assert ledger.sweep().ended == ()
    if isinstance(ledger.jobs, MemoryJobStatus):
        monkeypatch.setattr(ledger.jobs, "clock", lambda: time.time() + 7)
    else:
        monkeypatch.setattr("core.adapters.redis.job_status.CANCEL_SECONDS", 0.0)
    assert [job.state for job in ledger.sweep().ended] == [JobState.CANCELLED]
    with pytest.raises(LeaseLost):
        ledger.jobs.finish(claim, Outcome(state=JobState.COMPLETED))
    assert ledger.jobs.get(claim.job_id).state is JobState.CANCELLED


def test_a_cancelled_run_without_a_runner_ends_at_once(ledger: Ledger) -> None:
    """JOB-8: also when the worker that started it is dead."""
    claim = ledger.launched()
    ledger.jobs.cancel(claim.job_id)
    assert [job.state for job in ledger.kill(claim).ended] == [JobState.CANCELLED]
    assert ledger.claim() is None


def test_a_cancel_outlives_the_host_of_its_run(ledger: Ledger) -> None:
    """JOB-8: what is to be cancelled is not run again elsewhere."""
    claim = ledger.launched()
    ledger.sweep(patience=1)
    ledger.jobs.presume_dead(claim.job_id, claim.mark)
    assert ledger.sweep(host="engine-b").orphaned
    ledger.jobs.cancel(claim.job_id)
    time.sleep(1.1)
    assert [job.state for job in ledger.sweep(host="engine-b").ended] == [JobState.CANCELLED]
    assert ledger.claim(host="engine-b") is None


def test_a_sealed_job_ends_with_its_result(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """JOB-8: once its result is being made final a cancel is refused and changes nothing, whoever holds it."""
    claim = ledger.launched()
    assert ledger.jobs.seal(claim)
    assert ledger.jobs.seal(claim), "it may be repeated"
    ledger.kill(claim)
    claim = ledger.claimed()
    ledger.jobs.leave(claim, until_told=True)
    with pytest.raises(Conflict, match="result is being recorded"):
        ledger.jobs.cancel(claim.job_id)
    monkeypatch.setattr("core.adapters.redis.job_status.CANCEL_SECONDS", 0.0)
    assert ledger.sweep() == Swept()
    ledger.jobs.release_results(HOST)
    claim = ledger.claimed()
    assert (claim.job.cancel_requested, claim.job.sealed) == (False, True)
    assert ledger.jobs.finish(claim, Outcome(state=JobState.COMPLETED)).state is JobState.COMPLETED


def test_a_cancelled_job_is_not_sealed(ledger: Ledger) -> None:
    """JOB-8: who cancelled in time is obeyed; whoever lost the job cannot seal it either."""
    claim = ledger.launched()
    ledger.jobs.cancel(claim.job_id)
    assert not ledger.jobs.seal(claim)
    assert not ledger.jobs.get(claim.job_id).sealed
    assert ledger.jobs.leave(claim).state is JobState.CANCELLED
    with pytest.raises(LeaseLost):
        ledger.jobs.seal(claim)


@pytest.mark.parametrize("way", ["its host is gone", "it is handed back"])
def test_a_sealed_job_that_is_run_again_can_be_cancelled(ledger: Ledger, way: str) -> None:
    """RUN-4: its result may never have been made final, and its job must end all the same."""
    claim = ledger.launched()
    ledger.jobs.seal(claim)
    if way == "its host is gone":
        ledger.jobs.leave(claim, until_told=True)
        ledger.sweep(host="engine-b")
    else:
        ledger.jobs.hand_back(claim, count_attempt=True)
    assert (ledger.jobs.get(claim.job_id).state, ledger.jobs.get(claim.job_id).sealed) == (JobState.PENDING, False)
    assert ledger.jobs.cancel(claim.job_id).state is JobState.CANCELLED
