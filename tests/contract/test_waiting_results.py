"""The ledger's contract for results that wait: tried per tracking server, not per result, and taken up in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from core.domain.job import Claim, JobRequest, JobState, Outcome, Phase
from core.domain.limits import UserLimits
from core.domain.recording_pace import FIRST_SECONDS, LONGEST_SECONDS, MOST_AT_ONCE, STUCK_SECONDS, TURN_SECONDS
from core.ports.job_status import JobStatusPort
from tests.contract.conftest import AnyLedger

pytestmark = pytest.mark.contract

LIMITS = UserLimits(jobs_per_hour=1000, concurrent_running=1000, queue_when_over=True)
HOST, OTHER = "engine-a", "engine-b"
MANY = 100
MIDDLE = 0.5
"""Of the random part: the pause itself."""


@dataclass
class Ledger:
    """With a clock of its own, in seconds from the true time."""

    jobs: JobStatusPort
    set_clock: Callable[[float], None]
    now: float = 0.0
    tries: list[str] = field(default_factory=list)
    """The jobs whose result was sent, in order."""

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.set_clock(self.now)

    def waiting(self, number: int, *, host: str = HOST) -> str:
        request = JobRequest(submission_id=f"{number:032x}", user_id="ann", resource_class="small", benchmark="b")
        self.jobs.admit(request, LIMITS)
        claim = self.claimed(host)
        self.jobs.note(claim, phase=Phase.RECORDING, sandbox=claim.mark)
        self.jobs.leave(claim, until_told=True)
        return claim.job_id

    def claimed(self, host: str = HOST) -> Claim:
        claim = self.jobs.claim("small", worker="w", lease_seconds=60, running_limit=1000, host=host)
        assert claim is not None
        return claim

    def turn(self, host: str = HOST) -> bool:
        return self.jobs.recording_turn(host, jitter=MIDDLE)

    def round(self, *, takes: Callable[[str], bool], host: str = HOST) -> int:
        """What a runner of the host does at one sweep, and with the results that are let go of; how many those were."""
        released = self.jobs.release_results(host) if self.turn(host) else 0
        while self.jobs.orphans(host):
            claim = self.claimed(host)
            self.tries.append(claim.job_id)
            if takes(claim.job_id):
                self.jobs.finish(claim, Outcome(state=JobState.COMPLETED))
            else:
                self.jobs.leave(claim, until_told=True)
        return released


@pytest.fixture
def ledger(any_ledger: AnyLedger) -> Ledger:
    return Ledger(any_ledger.jobs, any_ledger.set_clock)


def test_many_waiting_results_are_few_tries_at_a_server_that_takes_none(ledger: Ledger) -> None:
    """As seen: a hundred tries at each round. One at a time, at ever longer pauses, by all hosts together."""
    for number in range(MANY):
        ledger.waiting(number, host=HOST if number % 2 else OTHER)
    for _sweep in range(120):
        for host in (HOST, OTHER):
            assert ledger.round(takes=lambda _job: False, host=host) <= 1
        ledger.wait(5)
    longest = 600 / LONGEST_SECONDS
    assert longest - 4 <= len(ledger.tries) <= longest + 8
    assert len(set(ledger.tries)) == len(ledger.tries), "one that was tried goes behind the others"
    assert ledger.jobs.waiting_results(HOST) + ledger.jobs.waiting_results(OTHER) == MANY


def test_a_server_that_does_not_answer_is_asked_more_and_more_seldom(ledger: Ledger) -> None:
    """By one caller at a time; not one result is let go of."""
    ledger.waiting(0)
    ledger.waiting(1, host=OTHER)
    asked, began = [], ledger.now
    for _second in range(121):
        for host in (HOST, OTHER):
            if ledger.turn(host):
                asked.append(ledger.now - began)
                ledger.jobs.recording_in_vain(jitter=MIDDLE)
        ledger.wait(1)
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses[:5] == pytest.approx([FIRST_SECONDS, 2, 4, 8, 16], abs=1.1)
    assert pauses[5:] == pytest.approx([LONGEST_SECONDS] * len(pauses[5:]), abs=1.1)
    assert ledger.jobs.orphans(HOST) == ledger.jobs.orphans(OTHER) == 0


def test_the_pauses_are_jittered(ledger: Ledger) -> None:
    """By half of them more or less."""
    ledger.waiting(0)
    for jitter, least, most in ((0.0, 0.5, 0.6), (0.999, 2.9, 3.1)):
        assert ledger.turn()
        ledger.jobs.recording_in_vain(jitter=jitter)
        ledger.wait(least * FIRST_SECONDS - 0.1)
        assert not ledger.turn()
        ledger.wait((most - least) * FIRST_SECONDS + 0.2)


def test_waiting_results_are_taken_up_in_their_order_a_few_at_a_time(ledger: Ledger) -> None:
    """One probe, then twice as many with each round that was recorded, up to a bound."""
    ids = [ledger.waiting(number) for number in range(40)]
    released = []
    while ledger.jobs.waiting_results(HOST):
        released.append(ledger.round(takes=lambda _job: True))
        ledger.wait(1)
    assert released[:5] == [1, 2, 4, 8, 8]
    assert max(released) == MOST_AT_ONCE
    assert ledger.tries == ids


def test_only_so_many_are_under_way_at_once(ledger: Ledger) -> None:
    """However often a sweep comes by, and of all hosts together."""
    for number in range(4):
        ledger.waiting(number)
    ledger.waiting(4, host=OTHER)
    assert ledger.turn()
    assert ledger.jobs.release_results(HOST) == 1
    for _sweep in range(5):
        ledger.wait(10)
        assert not ledger.turn()
        assert not ledger.turn(OTHER)
    ledger.wait(STUCK_SECONDS)
    assert ledger.turn(OTHER), "no runner took it up: it holds up no other for ever"
    assert ledger.jobs.release_results(OTHER) == 1


def test_a_result_that_is_refused_for_good_holds_up_no_other(ledger: Ledger) -> None:
    """It is tried again behind the others, and more and more seldom once it is alone."""
    ids = [ledger.waiting(number) for number in range(20)]
    for _sweep in range(120):
        ledger.round(takes=lambda job_id: job_id != ids[0])
        ledger.wait(5)
    assert ledger.jobs.waiting_results(HOST) == 1
    assert {ledger.jobs.get(job_id).state for job_id in ids[1:]} == {JobState.COMPLETED}
    assert ledger.tries.count(ids[0]) <= 600 / LONGEST_SECONDS + 8


def test_the_turn_of_a_runner_that_died_is_over_soon(ledger: Ledger) -> None:
    ledger.waiting(0)
    assert ledger.turn()
    assert not ledger.turn()
    ledger.wait(TURN_SECONDS + 1)
    assert ledger.turn()


def test_a_clock_that_was_set_back_keeps_no_result_waiting(ledger: Ledger) -> None:
    ledger.waiting(0)
    ledger.turn()
    ledger.jobs.recording_in_vain(jitter=MIDDLE)
    ledger.wait(-86_400)
    assert ledger.turn()
    assert ledger.jobs.release_results(HOST) == 1


def test_nobody_has_a_turn_where_nothing_waits(ledger: Ledger) -> None:
    assert not ledger.turn()
    ledger.waiting(0)
    assert not ledger.turn(OTHER)
    assert ledger.turn()
