"""A log whose writer is killed at any byte: its successor goes on with nothing lost and nothing twice."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.ports.sandbox import Stream
from runner.job_log import position as log_position
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


def writer(folder: Path, limits: dict[str, int] = LIMITS) -> LogWriter:
    return LogWriter(folder / "job.log", position=folder / "position", **limits)


def successor(folder: Path, limits: dict[str, int] = LIMITS) -> LogWriter:
    return LogWriter.taken_over(folder / "job.log", position=folder / "position", **limits)


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
    """A paused runner whose lease was taken writes into a file that nobody reads any more."""
    late = writer(tmp_path)
    late.output(b"first\n", Stream.STDOUT)
    with successor(tmp_path) as log:
        late.output(b"second\n", Stream.STDOUT)
        late.say("I am late.")
        log.output(b"second\n", Stream.STDOUT)
        assert (tmp_path / "job.log").read_bytes() == b"first\nsecond\n"
    late.__exit__(None, None, None)


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
    assert text.startswith(printed[:50] + b"\n[leadersboard] ... 901 bytes were dropped here ...\n")
    assert text.endswith(b"x" * 50 + b"\n[leadersboard] end\n")


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
    assert (tmp_path / "job.log").read_text().count("Ended") == 1


def test_a_log_without_a_position_goes_on_at_its_end(tmp_path: Path) -> None:
    """A run that was never read from begins there: nothing of it is in the file."""
    (tmp_path / "job.log").write_bytes(b"attempt before\n")
    with successor(tmp_path) as log:
        log.output(b"new\n", Stream.STDOUT)
    assert (tmp_path / "job.log").read_bytes() == b"attempt before\nnew\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.log", "position"]
