"""May this runner go on with its job? It looks, it asks the ledger, and it asks again while there is no answer."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from core.domain.errors import LeaseLost, Unavailable
from core.domain.job import Claim, JobRequest
from core.domain.limits import UserLimits
from runner.lease import lease as leases
from runner.lease.lease import HandOver, Lease
from tests.twins.job_status import MemoryJobStatus

pytestmark = pytest.mark.unit


class Held:
    """A claimed job on a ledger that is away for some calls, and the claim's lease."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leases, "RETRY_SECONDS", 0.01)
        self.ledger = MemoryJobStatus()
        request = JobRequest(submission_id="s", user_id="ann", resource_class="small", benchmark="b")
        self.job_id = self.ledger.admit(request, UserLimits()).job.job_id
        claim = self.ledger.claim("small", worker="w", lease_seconds=30, running_limit=1)
        assert claim is not None
        self.claim, self.stopping = claim, threading.Event()
        self.lease = Lease(self.ledger, claim, lease_seconds=30, stopping=self.stopping)
        self.calls: list[str] = []
        self.at_call: Callable[[], None] = lambda: None
        renew = self.ledger.renew

        def renewed(held: Claim, *, lease_seconds: float) -> bool:
            self.answer("renew")
            return renew(held, lease_seconds=lease_seconds)

        monkeypatch.setattr(self.ledger, "renew", renewed)
        self.away = 0

    def answer(self, name: str = "call") -> str:
        """One call to the ledger. Raises Unavailable as often as it is `away`."""
        self.calls.append(name)
        self.at_call()
        if len(self.calls) <= self.away:
            raise Unavailable("The ledger", "it is away")
        return name

    def lose(self) -> None:
        self.ledger.presume_dead(self.claim.job_id, self.claim.mark)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


def test_a_look_costs_no_question(held: Held) -> None:
    held.lease.check()
    assert held.calls == []


def test_a_stop_hands_the_job_over(held: Held) -> None:
    held.stopping.set()
    with pytest.raises(HandOver):
        held.lease.check()


def test_a_cancel_comes_before_a_hand_over(held: Held) -> None:
    """JOB-8: the runner asks the ledger before it leaves the job, and then stops the run itself."""
    held.ledger.cancel(held.job_id)
    held.stopping.set()
    held.lease.check()
    assert held.lease.cancelled


def test_a_lost_lease_comes_before_a_hand_over(held: Held) -> None:
    """There is nothing left to hand over."""
    held.lose()
    held.stopping.set()
    with pytest.raises(LeaseLost):
        held.lease.check()


def test_a_confirmation_is_waited_for(held: Held) -> None:
    held.away = 2
    held.lease.confirm()
    assert held.calls == ["renew"] * 3


def test_a_lost_lease_is_confirmed_by_nobody(held: Held) -> None:
    held.lose()
    with pytest.raises(LeaseLost):
        held.lease.confirm()


@pytest.mark.parametrize("asked", ["confirm", "retrying"])
def test_a_stopping_runner_waits_for_no_ledger(held: Held, asked: str) -> None:
    held.away = 99
    held.at_call = held.stopping.set
    with pytest.raises(HandOver):
        held.lease.confirm() if asked == "confirm" else held.lease.retrying(held.answer)
    assert len(held.calls) == 1


def test_a_call_is_repeated_until_the_ledger_answers(held: Held) -> None:
    held.away = 2
    assert held.lease.retrying(held.answer) == "call"
    assert len(held.calls) == 3


def test_a_call_is_not_repeated_once_the_lease_is_lost(held: Held) -> None:
    held.away = 99
    held.lease.lost = True
    with pytest.raises(LeaseLost):
        held.lease.retrying(held.answer)
    assert len(held.calls) == 1


def test_a_lease_is_renewed_while_its_context_lasts(held: Held) -> None:
    """And no longer; what the ledger says of a cancel is known by then."""
    renewed = threading.Event()
    held.at_call = renewed.set
    held.ledger.cancel(held.job_id)
    with Lease(held.ledger, held.claim, lease_seconds=0.03, stopping=held.stopping) as lease:
        assert renewed.wait(20)
    calls = len(held.calls)
    assert lease.cancelled
    renewed.clear()
    assert not renewed.wait(0.1)
    assert len(held.calls) == calls
