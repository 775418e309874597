"""A log whose writer is killed at any byte: its successor goes on with nothing lost and nothing twice."""

from __future__ import annotations

import errno
import itertools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.errors import LeaseLost
from core.ports.sandbox import Stream
from runner.job_log import journal as log_position
from runner.job_log import writer as log_writer
from runner.job_log.writer import LogWriter

pytestmark = pytest.mark.unit

LIMITS = {"max_bytes": 10**9, "max_lines": 10**9, "kept_bytes": 10**6}


class Killed(BaseException):
    """The process is gone: nothing after this happens."""


class Death:
    """Lets so many bytes of writing pass, of whatever file, and then no more; the last write may be cut."""

    def __init__(self, after_bytes: int) -> None:
        self.left = after_bytes

    def write(self, file: int, content: bytes) -> int:
        cut = content[: self.left]
        self.left -= len(content)
        if cut:
            real_write(file, cut)
        if self.left < 0:
            raise Killed
        return len(content)

    def pwrite(self, file: int, content: bytes, offset: int) -> int:
        if self.left <= 0:
            raise Killed
        return real_pwrite(file, content, offset)


real_write, real_pwrite = os.write, os.pwrite
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just(Stream.STDOUT), st.text("1\n", min_size=1, max_size=9).map(str.encode)),
        st.tuples(st.just(Stream.STDERR), st.text("2\n", min_size=1, max_size=9).map(str.encode)),
        st.tuples(st.none(), st.just(b"own")),
    ),
    max_size=12,
)


def ours() -> None:
    """The job is."""


def writer(
    folder: Path, limits: dict[str, int] = LIMITS, *, trusted: bool = True, confirm: Callable[[], None] = ours
) -> LogWriter:
    return LogWriter(folder / "job.log", position=folder / "position", trusted=trusted, confirm=confirm, **limits)


successor = writer


class Lease:
    """Held by one of two; `lost` for who asks after the other has it."""

    def __init__(self) -> None:
        self.lost = False

    def check(self) -> None:
        if self.lost:
            raise LeaseLost("it is another's")


def write_until_killed(log: LogWriter, steps: list[tuple[Stream | None, bytes]], death: Death) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_writer.os, "write", death.write)
        patch.setattr(log_position.os, "pwrite", death.pwrite)
        try:
            for stream, chunk in steps:
                if stream is None:
                    log.say(chunk.decode())
                else:
                    log.output(chunk, stream)
        except Killed:
            return


def remaining(log: LogWriter, steps: list[tuple[Stream | None, bytes]]) -> list[tuple[Stream | None, bytes]]:
    """What the engine has on record, from where a successor stands."""
    found: list[tuple[Stream | None, bytes]] = []
    for stream in Stream:
        printed = b"".join(chunk for of, chunk in steps if of is stream)[log.taken_of(stream) :]
        if printed:
            found.append((stream, printed))
    return found


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, after_bytes=st.integers(0, 200), again=st.integers(0, 200))
def test_every_byte_stands_there_once_wherever_writers_are_killed(
    steps: list[tuple[Stream | None, bytes]], after_bytes: int, again: int
) -> None:
    """LOG-1, REL-2: two writers die, the third completes the log."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = writer(folder)
        write_until_killed(first, steps, Death(after_bytes))
        second = successor(folder)
        write_until_killed(second, [(None, b"own"), *remaining(second, steps)], Death(again))
        with successor(folder) as third:
            write_until_killed(third, remaining(third, steps), Death(10**9))
        for dead in (first, second):
            dead.__exit__(None, None, None)
        text = (folder / "job.log").read_bytes()
    for stream, letter in ((Stream.STDOUT, b"1"), (Stream.STDERR, b"2")):
        expected = sum(chunk.count(letter) for of, chunk in steps if of is stream)
        assert text.count(letter) == expected


def test_order_within_a_stream_is_kept(tmp_path: Path) -> None:
    """Numbered lines come out as they were printed, also where one was cut in the middle."""
    lines = [f"line {number}\n".encode() for number in range(50)]
    first = writer(tmp_path)
    write_until_killed(first, [(Stream.STDOUT, line) for line in lines], Death(123))
    with successor(tmp_path) as second:
        second.output(b"".join(lines)[second.taken_of(Stream.STDOUT) :], Stream.STDOUT)
    first.__exit__(None, None, None)
    assert (tmp_path / "job.log").read_bytes() == b"".join(lines)


def test_a_writer_that_wakes_up_late_changes_nothing(tmp_path: Path) -> None:
    """A paused runner whose lease was taken writes into a file that nobody reads any more, and says nothing at all."""
    lease = Lease()
    late = writer(tmp_path, confirm=lease.check)
    late.output(b"first\n", Stream.STDOUT)
    with successor(tmp_path) as log:
        lease.lost = True
        late.output(b"second\n", Stream.STDOUT)
        for word in (late.say, late.say_once):
            with pytest.raises(LeaseLost):
                word("I am late.")
        log.output(b"second\n", Stream.STDOUT)
        assert (tmp_path / "job.log").read_bytes() == b"first\nsecond\n"
    late.__exit__(None, None, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.log", "position"]


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


@pytest.mark.parametrize("act", ["say", "say_once", "settle", "keep_place"])
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


def test_what_was_held_back_is_on_disk_before_its_source_goes(tmp_path: Path) -> None:
    """LOG-3: a runner killed once the container is gone leaves the tail; its successor adds and loses nothing."""
    limits = LIMITS | {"kept_bytes": 100}
    dead = writer(tmp_path, limits)
    dead.output(b"".join(b"line %04d\n" % number for number in range(90)) + b"the reason\n", Stream.STDOUT)
    dead.settle()
    with successor(tmp_path, limits) as log:
        assert log.taken_of(Stream.STDOUT) == 911
        log.say_once("Ended: failed")
    dead.__exit__(None, None, None)
    text = (tmp_path / "job.log").read_bytes().decode("latin-1")
    assert text.count("bytes were dropped here") == 1
    assert text.endswith("line 0089\nthe reason\n\xff[leadersboard] Ended: failed\n")


@pytest.mark.parametrize("room", [0, 30, 100])
def test_what_a_full_disk_cost_is_told_by_the_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Settled without room and then killed: the count is not lost, and every byte is in the file or counted."""
    limits = LIMITS | {"kept_bytes": 100}
    disk = FullDisk(50 + room)
    dead = writer(tmp_path, limits)
    monkeypatch.setattr(log_writer.os, "write", disk.write)
    dead.output(b"x" * 90, Stream.STDOUT)
    dead.settle()
    monkeypatch.undo()
    with successor(tmp_path, limits) as log:
        assert log.taken_of(Stream.STDOUT) == 90
        log.say("end")
    dead.__exit__(None, None, None)
    lines = (tmp_path / "job.log").read_bytes().decode("latin-1").split()
    missing = f"\xff[leadersboard] ... {40 - room} bytes are missing here: the disk was full ..." if room < 40 else ""
    assert lines == ["x" * (50 + min(room, 40)), *missing.split(), "\xff[leadersboard]", "end"]


class FullDisk:
    """Takes so many bytes more."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, file: int, content: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real_write(file, content[: self.room])
        self.room -= written
        return written


def test_what_never_came_is_told(tmp_path: Path) -> None:
    """Where the engine had not kept all that was printed, the log says that something is missing, once."""
    with writer(tmp_path, LIMITS | {"kept_bytes": 100}) as log:
        log.output(b"x" * 1000, Stream.STDOUT)
        log.incomplete()
        log.say("end")
        log.say("after it")
    assert (tmp_path / "job.log").read_bytes().decode("latin-1").count("the engine had not kept all of it") == 1


def test_a_flood_goes_on_at_its_limits(tmp_path: Path) -> None:
    """What was held back in memory is read again from the record, and everything printed before counts."""
    limits = {"max_bytes": 1000, "max_lines": 10**6, "kept_bytes": 100}
    first = writer(tmp_path, limits)
    printed = b"".join(b"%09d\n" % number for number in range(90))
    first.output(printed, Stream.STDOUT)
    with successor(tmp_path, limits) as second:
        assert second.taken_of(Stream.STDOUT) == 50
        second.output(printed[50:], Stream.STDOUT)
        assert not second.over_limit
        second.output(b"x" * 101, Stream.STDERR)
        assert second.over_limit
        second.say("end")
    first.__exit__(None, None, None)
    text = (tmp_path / "job.log").read_bytes()
    assert text.startswith(printed[:50] + b"\n\xff[leadersboard] ... 901 bytes were dropped here ...\n")
    assert text.endswith(b"x" * 50 + b"\n\xff[leadersboard] end\n")


def test_lines_are_counted_across_writers(tmp_path: Path) -> None:
    """LOG-3: a limit of lines cannot be outrun by losing runners."""
    limits = LIMITS | {"max_lines": 3}
    first = writer(tmp_path, limits)
    first.output(b"\n\n", Stream.STDOUT)
    with successor(tmp_path, limits) as second:
        second.output(b"\n\n", Stream.STDERR)
        assert second.over_limit
    first.__exit__(None, None, None)


def test_the_last_line_is_said_once(tmp_path: Path) -> None:
    """A runner that died between its last line and the ledger leaves one last line."""
    first = writer(tmp_path)
    first.say_once("Ended: completed")
    with successor(tmp_path) as second:
        second.say_once("Ended: completed")
    first.__exit__(None, None, None)
    assert (tmp_path / "job.log").read_bytes().decode("latin-1").count("Ended") == 1


def test_a_log_without_a_position_goes_on_at_its_end(tmp_path: Path) -> None:
    """A run that was never read from begins there: nothing of it is in the file."""
    (tmp_path / "job.log").write_bytes(b"attempt before\n")
    with successor(tmp_path) as log:
        log.output(b"new\n", Stream.STDOUT)
    assert (tmp_path / "job.log").read_bytes() == b"attempt before\nnew\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.log", "position"]
