"""A log changes hands: at any step of that the former writer, or the new one, may be killed or asleep."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import LeaseLost
from core.ports.sandbox import Stream
from runner.job_log.writer import LogWriter
from tests.unit.runner.job_log.writers import LIMITS, Death, Killed, Lease, successor, write_until_killed, writer

pytestmark = pytest.mark.unit

STEPS_OF_A_TAKEOVER = [(Path, "unlink"), (Path, "replace"), (os, "ftruncate"), (os, "pwrite"), (os, "fchmod")]


def deadly(real: Callable[..., Any], due: Callable[[], bool]) -> Callable[..., Any]:
    def trapped(*args: Any, **named: Any) -> Any:
        if due():
            raise Killed
        return real(*args, **named)

    return trapped


def killed_at(step: int, act: Callable[[], object]) -> bool:
    """Whether the process was gone before that step, of those that change anything on disk."""
    steps = itertools.count()
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in STEPS_OF_A_TAKEOVER:
            patch.setattr(owner, name, deadly(getattr(owner, name), lambda: next(steps) >= step))
        try:
            act()
        except Killed:
            return True
    return False


@pytest.mark.parametrize(("cut", "late"), [(20, b""), (57, b""), (200, b""), (200, b"late\n" * 3)])
def test_a_successor_killed_at_any_step_of_taking_over_doubles_nothing(tmp_path: Path, cut: int, late: bytes) -> None:
    """Mid-line, in half a tail, or whole; and also where the predecessor was only slow and goes on meanwhile."""
    limits = LIMITS | {"kept_bytes": 1000 if late else 100}
    printed = b"".join(b"line %04d\n" % number for number in range(8))
    step = 0
    for step in itertools.count():
        folder = tmp_path / str(step)
        folder.mkdir()
        first = writer(folder, limits)
        write_until_killed(first, [(Stream.STDOUT, printed), (None, b"own")], Death(cut))
        killed = killed_at(step, lambda folder=folder: successor(folder, limits))  # type: ignore[misc]
        for start in range(0, len(late), 5):
            first.output(late[start : start + 5], Stream.STDERR)
        with successor(folder, limits) as log:
            log.output(printed[log.taken_of(Stream.STDOUT) :], Stream.STDOUT)
            log.output(late[log.taken_of(Stream.STDERR) :], Stream.STDERR)
            log.say("end")
        first.__exit__(None, None, None)
        text = (folder / "job.log").read_bytes()
        own = b"\xff[leadersboard] own\n" if cut == 200 else b""
        assert text == printed + own + late + b"\xff[leadersboard] end\n", step
        assert sorted(path.name for path in folder.iterdir()) == ["job.log", "position"]
        if not killed:
            break
    assert step > 4


def asleep_in_takeover(folder: Path, lease: Lease, before: str, meanwhile: Callable[[], None]) -> None:
    """A takeover that stops before this call, is overtaken, and wakes up."""
    real, met = getattr(Path, before), False

    def trapped(self: Path, *args: Any, **named: Any) -> Any:
        nonlocal met
        if not met:
            met = True
            meanwhile()
        return real(self, *args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, before, trapped)
        with pytest.raises(LeaseLost):
            successor(folder, confirm=lease.check)


@pytest.mark.parametrize("before", ["read_bytes", "replace"])
def test_a_sleeper_that_was_taking_over_does_not_take_the_log_back(tmp_path: Path, before: str) -> None:
    """Stopped before it copies, or with its copies ready: who holds the job by then has the file that is read."""
    dead, lease = writer(tmp_path), Lease()
    dead.output(b"line 0\n", Stream.STDOUT)
    holder: list[LogWriter] = []

    def overtake() -> None:
        lease.lost = True
        holder.append(successor(tmp_path))
        holder[0].output(b"line 1\n", Stream.STDOUT)

    asleep_in_takeover(tmp_path, lease, before, overtake)
    holder[0].output(b"line 2\n", Stream.STDOUT)
    holder[0].say("end")
    for one in (dead, *holder):
        one.__exit__(None, None, None)
    assert (tmp_path / "job.log").read_bytes() == b"line 0\nline 1\nline 2\n\xff[leadersboard] end\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.log", "position"]


@pytest.mark.parametrize("act", ["say", "say_once", "settle", "keep_name"])
def test_a_file_that_was_put_over_the_log_does_not_stay(tmp_path: Path, act: str) -> None:
    """Whatever did it: what readers find is the owner's own again, before its next word and before it is recorded."""
    with writer(tmp_path) as log:
        log.output(b"line 0\n", Stream.STDOUT)
        for name in ("job.log", "position"):
            (tmp_path / "stranger").write_bytes(b"line 0\n")
            (tmp_path / "stranger").replace(tmp_path / name)
        log.output(b"line 1\n", Stream.STDOUT)
        getattr(log, act)(*(["end"] if act.startswith("say") else []))
        log.output(b"line 2\n", Stream.STDOUT)
        assert log.taken_of(Stream.STDOUT) == 21
    with successor(tmp_path) as log:
        assert log.taken_of(Stream.STDOUT) == 21
    text = (tmp_path / "job.log").read_bytes()
    assert text.replace(b"\xff[leadersboard] end\n", b"") == b"line 0\nline 1\nline 2\n"


def test_after_a_restart_of_the_machine_the_position_says_nothing(tmp_path: Path) -> None:
    """What of the log had reached the disk is not known: it goes on at its end, and nothing is cut off."""
    with writer(tmp_path) as log:
        log.output(b"line 0\n", Stream.STDOUT)
        log.output(b"line 1\n", Stream.STDOUT)
    with (tmp_path / "job.log").open("ab") as file:
        file.write(b"more than the position knows\n")
    with writer(tmp_path, trusted=False) as log:
        assert log.printed_bytes == 0
        log.say("end")
    text = (tmp_path / "job.log").read_bytes()
    assert text == b"line 0\nline 1\nmore than the position knows\n\xff[leadersboard] end\n"
