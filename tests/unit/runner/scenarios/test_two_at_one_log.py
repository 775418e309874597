"""A runner that stops before one of its own words, loses the job, and wakes up while another writes the job's log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.domain.errors import LeaseLost
from core.domain.job import Claim, Job, JobState
from core.domain.limits import SMALL, GpuPolicy, ResourceClass
from runner.job_log.writer import LogWriter
from runner.lease.lease import Lease
from tests.process_sandbox import ProcessEngine, ProcessSandbox
from tests.twin_runner import GOOD, TwinRunner

pytestmark = [pytest.mark.unit, pytest.mark.slow]

HALVES = (
    "import sys, time\nfor n in range(20):\n    sys.stdout.write('line '); sys.stdout.flush(); time.sleep(0.02)\n"
    "    print(n, flush=True)\n" + GOOD
)


class Sleeper:
    """The first thread that comes to this call stops there until it is woken."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: type, name: str, due: Callable[..., bool]) -> None:
        self._asleep, self._woken = threading.Event(), threading.Event()
        real = getattr(owner, name)

        def trapped(*args: Any, **named: Any) -> Any:
            if not self._asleep.is_set() and due(*args, **named):
                self._asleep.set()
                assert self._woken.wait(20)
            return real(*args, **named)

        patch.setattr(owner, name, trapped)

    def put_to_sleep(self, runner: TwinRunner[ProcessEngine], program: str) -> Claim:
        """Whose job is another's to claim now."""
        self.claim = runner.claim(program)
        self._thread = threading.Thread(target=runner.run, args=(self.claim,))
        self._thread.start()
        assert self._asleep.wait(20)
        runner.ledger._leases.take(self.claim.job_id, self.claim.token, -1.0)
        runner.sweep()
        return runner.claim_again()

    def wake(self) -> None:
        self._woken.set()
        self._thread.join()


def test_a_first_word_that_comes_late_is_not_said(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing had begun when it fell asleep: no line of the run is torn or lost, and there is one first line."""
    sleeper = Sleeper(monkeypatch, LogWriter, "say_once", lambda _self, words: words.startswith("Attempt"))
    again = sleeper.put_to_sleep(runner, HALVES)
    ended: list[Job] = []
    thread = threading.Thread(target=lambda: ended.append(runner.run(again)))
    thread.start()
    deadline = time.monotonic() + 120
    while "line 3\nline " not in runner.storage.read_log(again.job_id).text:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    sleeper.wake()
    thread.join()
    log = runner.log_of(ended[0])
    assert (ended[0].state, ended[0].attempt) == (JobState.COMPLETED, 1)
    assert [line for line in log.splitlines() if line.startswith("line ")] == [f"line {n}" for n in range(20)]
    assert log.count("Attempt 1:") == 1


def test_a_last_word_that_comes_late_is_not_said(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no run ever began."""
    runner.limits = ResourceClass(**SMALL.model_dump() | {"gpus": GpuPolicy.REQUIRED})
    sleeper = Sleeper(monkeypatch, LogWriter, "end_output", lambda _self: True)
    job = runner.run(sleeper.put_to_sleep(runner, GOOD))
    sleeper.wake()
    assert runner.log_of(job).count("Ended:") == 1


def test_who_lost_the_job_does_not_leave_it(runner: TwinRunner[ProcessEngine]) -> None:
    """Asked to stop, it asks the ledger first: with the job gone there is nothing to leave, and no word to say."""
    claim, stopping = runner.claim(GOOD), threading.Event()
    lease = Lease(runner.ledger, claim, lease_seconds=30, stopping=stopping)
    runner.ledger._leases.take(claim.job_id, claim.token, -1.0)
    runner.sweep()
    stopping.set()
    with pytest.raises(LeaseLost):
        lease.check()


def test_the_end_of_a_long_log_outlives_its_runner(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """LOG-3: killed when the container, and with it the engine's record, is gone."""
    runner.log_limits["kept_bytes"] = 200

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    claim = runner.claim("print('line\\n' * 100 + 'the reason'); raise SystemExit(3)")
    with monkeypatch.context() as patch:
        patch.setattr("runner.run_folder.RunFolder.harvest", dies)
        patch.setattr(ProcessSandbox, "remove", lambda *_args, **_named: None)
        with pytest.raises(KeyboardInterrupt):
            runner.run(claim)
    runner.ledger._leases.take(claim.job_id, claim.token, -1.0)
    runner.sweep()
    log = runner.log_of(runner.run(runner.claim_again()))
    assert (log.count("the reason"), log.count("bytes were dropped here")) == (1, 1), log
