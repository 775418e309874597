"""Two runners hold a run to be theirs, one of them asleep at a step: what it does on waking changes nothing."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.adapters.files.file_tree import Tree
from core.domain.errors import Unavailable
from core.domain.job import Claim, Job, JobState
from core.domain.limits import UploadLimits
from core.ports.sandbox import Harvest
from runner.run_folder import RunFolder
from tests.process_sandbox import ProcessEngine, ProcessSandbox
from tests.twin_runner import GOOD, TwinRunner

pytestmark = [pytest.mark.unit, pytest.mark.slow]

LONG = "import time\nfor n in range(20): print('line', n, flush=True); time.sleep(0.1)\n" + GOOD
SIX_FILES = GOOD + "for n in range(6): (out / f'file{n}.bin').write_bytes(b'x')\n"


class Sleep:
    """The first call of a method sleeps before it, until it is woken; those that come after it do not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.asleep, self._awake = threading.Event(), threading.Event()
        self._original = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *args, **named: self._trapped(*args, **named))  # noqa: PLW0108 to be bound

    def _trapped(self, *args: Any, **named: Any) -> Any:
        if not self.asleep.is_set():
            self.asleep.set()
            assert self._awake.wait(30)
        return self._original(*args, **named)

    def wake(self) -> None:
        self._awake.set()


def begun(step: Callable[[], Job]) -> tuple[threading.Thread, list[Job]]:
    found: list[Job] = []
    thread = threading.Thread(target=lambda: found.append(step()))
    thread.start()
    return thread, found


def await_line(runner: TwinRunner[ProcessEngine], claim: Claim, line: str) -> None:
    deadline = time.monotonic() + 120
    while line not in runner.storage.read_log(claim.job_id).text:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lose(runner: TwinRunner[ProcessEngine], claim: Claim) -> None:
    """The lease of this claim runs out, and the sweeper says what becomes of the job."""
    runner.ledger._leases.take(claim.job_id, claim.token, -1.0)
    runner.sweep()


def test_a_sleeper_that_wakes_before_its_launch_leaves_the_next_run_alone(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had said that it would start the run, and had not: another claim's is none of its business."""
    sleep = Sleep(monkeypatch, runner.engine, "launch")
    claim = runner.claim(LONG)
    sleeper, _ = begun(lambda: runner.run(claim))
    assert sleep.asleep.wait(20)
    lose(runner, claim)
    assert runner.run(runner.claim_again()).state is JobState.PENDING  # nothing had been started
    again = runner.claim_again()
    second, found = begun(lambda: runner.run(again))
    await_line(runner, again, "line 3")
    sleep.wake()
    sleeper.join()
    second.join()
    assert (found[0].state, found[0].attempt) == (JobState.COMPLETED, 1), runner.log_of(found[0])
    runner.sweeper().sweep()  # what the sleeper started is nobody's
    runner.assert_nothing_left()


def test_a_sleeper_that_wakes_before_it_reads_leaves_the_other_readers_files_alone(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read the same output at once; what is recorded is whole."""
    sleep = Sleep(monkeypatch, RunFolder, "fresh_artifacts")
    halfway, go_on = threading.Event(), threading.Event()

    def harvest(self: ProcessSandbox, into: Path) -> Harvest:
        self.await_output_end(5)
        tree = Tree(root=into, limits=UploadLimits())
        for number, path in enumerate(sorted(self._out.glob("*.bin"))):
            if number == 3 and not halfway.is_set():
                halfway.set()
                assert go_on.wait(20)
            tree.add_file(path.name, io.BytesIO(path.read_bytes()))
        return Harvest(metrics=(self._out / "metrics.json").read_bytes())

    monkeypatch.setattr(ProcessSandbox, "harvest", harvest)
    claim = runner.claim(SIX_FILES)
    sleeper, _ = begun(lambda: runner.run(claim))
    assert sleep.asleep.wait(20)
    lose(runner, claim)
    again = runner.claim_again()
    files = recorded(runner, monkeypatch)
    second, found = begun(lambda: runner.run(again))
    assert halfway.wait(20)
    sleep.wake()
    sleeper.join()
    go_on.set()
    second.join()
    assert (found[0].state, found[0].attempt) == (JobState.COMPLETED, 1), runner.log_of(found[0])
    assert [name for name in files if name.endswith(".bin")] == [f"file{number}.bin" for number in range(6)]


def recorded(runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what reaches the tracking server."""
    names: list[str] = []
    record = runner.tracking.record

    def seen(result: Any, **named: Any) -> Any:
        names.extend(sorted(path.name for path in result.artifacts.rglob("*") if path.is_file()))
        return record(result, **named)

    monkeypatch.setattr(runner.tracking, "record", seen)
    return names


def test_a_sleeper_that_cannot_ask_whether_the_job_is_its_own_touches_nothing(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wakes while the ledger is away: it waits for its word before it clears away or writes anything."""
    claim = runner.claim(LONG)
    lose(runner, claim)
    again = runner.claim_again()
    second, found = begun(lambda: runner.run(again))
    await_line(runner, again, "line 3")
    renew, refused = runner.ledger.renew, []

    def away_once(held: Claim, *, lease_seconds: float) -> bool:
        if held.token == claim.token and not refused:
            refused.append(held)
            raise Unavailable("The ledger", "it is away")
        return renew(held, lease_seconds=lease_seconds)

    monkeypatch.setattr(runner.ledger, "renew", away_once)
    monkeypatch.setattr("runner.lease.lease.RETRY_SECONDS", 0.05)
    runner.run(claim)
    second.join()
    assert refused
    assert (found[0].state, found[0].attempt) == (JobState.COMPLETED, 1), runner.log_of(found[0])
    assert runner.log_of(found[0]).count("line ") == 20


def test_a_sweeper_leaves_a_folder_alone_that_is_about_to_be_a_runs(
    runner: TwinRunner[ProcessEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner before had said that it would begin, and died; its successor's folder is there before its word is."""
    claim = runner.claim(GOOD)
    runner.ledger.note(claim, sandbox=claim.mark)
    RunFolder.make(runner.root / "jobs" / f"{claim.job_id}-{claim.mark}")
    lose(runner, claim)
    note = runner.ledger.note

    def sweep_first(held: Claim, **named: Any) -> None:
        if "sandbox" in named:
            runner.sweeper().sweep()
        note(held, **named)

    monkeypatch.setattr(runner.ledger, "note", sweep_first)
    job = runner.run(runner.claim_again())
    assert (job.state, job.attempt) == (JobState.COMPLETED, 1), runner.log_of(job)
    runner.assert_nothing_left()
