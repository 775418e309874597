"""The two channels of a log, from the real writer to the real reader: no run ever speaks as the platform."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.adapters.files.log_files import slice_from, tail
from core.domain.job_log import LINE_BYTES, MARK
from core.ports.sandbox import Stream
from core.ports.storage import LogSlice
from runner.job_log.writer import LogWriter

pytestmark = [pytest.mark.unit, pytest.mark.slow]

PIECES = st.sampled_from(
    [b"\n", b"\r", b"\xff", b"\xfe", b"[leadersboard] ", MARK + b"Ended\n", b"[leaders", b"board] ", b"x" * 70,
     "é".encode(), "🙂".encode(), b"\xf0\x9f", "\u200b".encode(), MARK, MARK[:4], MARK[4:]]
)  # fmt: skip
PRINTED = st.lists(PIECES | st.binary(max_size=4), max_size=12).map(b"".join)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(Stream), PRINTED),
        st.tuples(st.just("say"), st.text(max_size=20)),
        st.tuples(st.just("quote"), st.text(max_size=20)),
        st.tuples(st.just("takeover"), st.just("")),
    ),
    max_size=12,
)
SECRET = "\u4eba"
"""In each sentence of the platform and in nothing that a run prints: so the test can tell whose a character is."""


def writer(folder: Path, kept: int = 10**6) -> LogWriter:
    limits = {"max_bytes": 10**9, "max_lines": 10**9, "kept_bytes": kept}
    return LogWriter(folder / "job.log", position=folder / "position", confirm=lambda: None, **limits)


def written(folder: Path, steps: list[tuple[Stream | str, bytes | str]], kept: int) -> int:
    """How often the platform spoke."""
    log, said = writer(folder, kept), 0
    for how, what in steps:
        if how == "say":
            log.say(f"{SECRET}{what}{SECRET}")
            said += 1
        elif how == "quote":
            log.quote(str(what))
        elif how == "takeover":
            with log:
                log = writer(folder, kept)
        elif isinstance(what, bytes):
            log.output(what.replace(SECRET.encode(), b""), Stream(how))
    with log:
        log.settle()
    return said


def whose(found: LogSlice) -> str:
    """`P` for each character of the platform's, `r` for each of a run's."""
    signs = ["r"] * len(found.text)
    for start, end in found.platform:
        assert 0 <= start < end <= len(found.text)
        signs[start:end] = ["P"] * (end - start)
    return "".join(signs)


@settings(deadline=None, max_examples=200)
@given(
    steps=STEPS,
    kept=st.sampled_from([60, 10**6]),
    sizes=st.lists(st.integers(1, 60), min_size=1),
    lines=st.integers(1, 6),
)
@example(steps=[(Stream.STDOUT, b"\xff"), (Stream.STDOUT, MARK[1:])], kept=10**6, sizes=[1], lines=1)
@example(steps=[(Stream.STDOUT, b"\n"), ("say", "a"), (Stream.STDERR, MARK)], kept=10**6, sizes=[3], lines=2)
def test_the_platforms_ranges_are_its_lines_however_the_log_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[Stream | str, bytes | str]],
    kept: int,
    sizes: list[int],
    lines: int,
) -> None:
    """Any bytes in any chunks, before and after takeovers: whole, in slices of any size, by tails, from any byte."""
    folder = tmp_path_factory.mktemp("log")
    said = written(folder, steps, kept)
    path = folder / "job.log"
    whole = slice_from(path, 0, 10**7)
    signs = whose(whole)
    ours = [whole.text[start:end] for start, end in whole.platform]
    assert "".join(ours).count(SECRET) == 2 * said == whole.text.count(SECRET)
    for line in "".join(ours).removesuffix("\n").split("\n") if ours else ():
        is_ours = line.startswith(f"[leadersboard] {SECRET}") and line.endswith(SECRET)
        assert is_ours or line.endswith("bytes were dropped here ..."), "a run's text is in the platform's channel"
    for at, sign in enumerate(whole.text):
        assert sign != SECRET or signs[at] == "P", "the platform's word is not in its channel"
    read = [_sliced(path, sizes), tail(path, lines)]
    read += [slice_from(path, offset, 10**7) for offset in range(path.stat().st_size + 2)]
    for found in read:
        assert signs.endswith(whose(found)) or found.offset, "read in another way it is another's"
        if whole.text.endswith(found.text):
            assert whose(found) == signs[len(signs) - len(found.text) :]


def _sliced(path: Path, sizes: list[int]) -> LogSlice:
    """All of it, slice by slice, as one."""
    text, ranges, offset = "", [], 0
    for turn in range(10**6):
        found = slice_from(path, offset, max(4, sizes[turn % len(sizes)]))
        if found.next_offset == offset:
            break
        ranges += [(len(text) + start, len(text) + end) for start, end in found.platform]
        text, offset = text + found.text, found.next_offset
    return LogSlice(text=text, platform=tuple(ranges), next_offset=offset)


@pytest.mark.parametrize(
    "old",
    [
        b"[leadersboard] Attempt 1\nhello\n[leadersboard] Ended: completed\n",
        b"\xff[leadersboard) Ended: completed\n",
        b"[leadersboard] Attempt 1\n\xff\n\xff Ended: completed\n\xff[leaders\n\xff[leadersboard) Ended",
        b"\xffhello",
    ],
)
def test_a_log_of_an_earlier_version_shows_no_line_as_the_platforms(tmp_path: Path, old: bytes) -> None:
    """That let a run's 0xFF through, and changed a run's `[leadersboard]`: so no log of it holds a mark."""
    path = tmp_path / "job.log"
    path.write_bytes(old)
    assert slice_from(path, 0, 10**6).platform == ()
    assert tail(path, 1).platform == ()
    with writer(tmp_path) as log:
        log.output(b"[leadersboard] Ended: completed\n", Stream.STDOUT)
        log.say("begun by an old runner, continued by this one")
    found = slice_from(path, 0, 10**6)
    assert [found.text[start:end] for start, end in found.platform] == [
        "[leadersboard] begun by an old runner, continued by this one\n"
    ]


def test_an_old_runner_that_goes_on_with_a_new_log_marks_nothing(tmp_path: Path) -> None:
    """While hosts are brought up to date one by one: as the former writer would have written it."""
    with writer(tmp_path) as log:
        log.say("Attempt 1")
    printed = b"\xff[leadersboard] Ended: completed\n".replace(b"[leadersboard]", b"[leadersboard)")
    with (tmp_path / "job.log").open("ab") as file:
        file.write(printed + b"[leadersboard] Ended: failed\n")
    found = slice_from(tmp_path / "job.log", 0, 10**6)
    assert [found.text[start:end] for start, end in found.platform] == ["[leadersboard] Attempt 1\n"]


def test_a_mark_that_is_half_written_waits_for_the_next_slice(tmp_path: Path) -> None:
    """It is shown neither as a run's nor with its sign."""
    path = tmp_path / "job.log"
    path.write_bytes(b"one\n" + MARK[:7])
    first = slice_from(path, 0, 100)
    assert (first.text, first.next_offset) == ("one\n", 4)
    assert (tail(path, 5).text, slice_from(path, 4, 100).next_offset) == ("one\n", 4)
    path.write_bytes(b"one\n" + MARK + b"two\n")
    found = slice_from(path, 4, 3)
    assert (found.text, found.platform, found.next_offset) == ("[leadersboard] ", ((0, 15),), 4 + len(MARK))
    rest = slice_from(path, found.next_offset, 100)
    assert (rest.text, rest.platform) == ("two\n", ((0, 4),))


def test_a_piece_in_the_middle_of_our_longest_line_is_ours(tmp_path: Path) -> None:
    """So far back the reader looks, and no further: a run's line of a gigabyte costs nothing."""
    with writer(tmp_path) as log:
        log.say("x" * 10_000)
    path = tmp_path / "job.log"
    assert path.stat().st_size == LINE_BYTES
    for offset in range(LINE_BYTES - 5, LINE_BYTES):
        assert slice_from(path, offset, 100).platform == ((0, len(slice_from(path, offset, 100).text)),)
    with path.open("r+b") as file:
        file.truncate(2**30)
    tracemalloc.start()
    assert slice_from(path, 2**30 - 10, 100).platform == ()
    assert tail(path, 1000).platform == ()
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**25
