"""What a successor finds in a log, and says in it: limits, missing bytes, the last line."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from core.ports.sandbox import Stream
from runner.job_log import writer as log_writer
from tests.unit.runner.job_log.writers import LIMITS, real_write, successor, writer

pytestmark = pytest.mark.unit


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


def test_a_log_that_went_with_the_folder_it_was_in_is_read_again(tmp_path: Path) -> None:
    """As seen: the folder of logs was unmounted as the run began, and its runner killed; the first line was missing."""
    with writer(tmp_path) as dead:
        dead.output(b"line", Stream.STDOUT)
        dead.output(b" 0", Stream.STDOUT)
    (tmp_path / "job.log").unlink()
    with successor(tmp_path) as log:
        assert log.taken_of(Stream.STDOUT) == 0
        log.output(b"line 0\n", Stream.STDOUT)
    assert (tmp_path / "job.log").read_bytes() == b"line 0\n"


@pytest.mark.parametrize("left", [0, 3])
def test_what_of_a_log_cannot_be_read_again_is_counted(tmp_path: Path, left: int) -> None:
    """A line of ours, and whatever was in a file that is shorter than it was."""
    with writer(tmp_path) as dead:
        dead.say("begun")
        said = (tmp_path / "job.log").read_bytes()
        dead.output(b"one\n", Stream.STDOUT)
        dead.output(b"two\n", Stream.STDOUT)
    (tmp_path / "job.log").write_bytes(said[:left])
    with successor(tmp_path) as log:
        taken = log.taken_of(Stream.STDOUT)
        log.output(b"one\ntwo\nthree\n"[taken:], Stream.STDOUT)
    text = (tmp_path / "job.log").read_bytes()
    lost = len(said) + (0 if not left else 4 - left)
    assert f"... {lost} bytes are missing here".encode() in text
    assert text.endswith(b"three\n")
    assert (taken, b"one\ntwo\nthree\n" in text) == ((0, True) if not left else (4, False))


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
