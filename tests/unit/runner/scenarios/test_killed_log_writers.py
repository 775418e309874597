"""A log whose writer is killed at any byte: its successor goes on with nothing lost and nothing twice."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.errors import LeaseLost
from core.ports.sandbox import Stream
from runner.job_log.writer import LogWriter
from tests.unit.runner.job_log.writers import Death, Lease, successor, write_until_killed, writer

pytestmark = [pytest.mark.unit, pytest.mark.slow]

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just(Stream.STDOUT), st.text("1\n", min_size=1, max_size=9).map(str.encode)),
        st.tuples(st.just(Stream.STDERR), st.text("2\n", min_size=1, max_size=9).map(str.encode)),
        st.tuples(st.none(), st.just(b"own")),
    ),
    max_size=12,
)


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
