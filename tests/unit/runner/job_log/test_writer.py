"""The log file of a job: at once, in order, bounded, with the runner's own lines apart."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from core.adapters.files.log_files import slice_from
from core.domain.job_log import LINE_BYTES
from core.ports.sandbox import Stream
from runner.job_log.writer import LogWriter

pytestmark = pytest.mark.unit

real_write = os.write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "job.log"


def writer(path: Path, kept: int = 1000) -> LogWriter:
    return LogWriter(
        path, position=path.with_name("position"), confirm=lambda: None, max_bytes=100_000, max_lines=1000,
        kept_bytes=kept,
    )  # fmt: skip


def test_the_file_is_there_and_grows_with_every_chunk(path: Path) -> None:
    """LOG-1: nothing waits in a buffer."""
    with writer(path) as log:
        assert path.read_bytes() == b""
        log.output(b"half a li", Stream.STDOUT)
        assert path.read_bytes() == b"half a li"
        log.output(b"ne\n\xfe\x00", Stream.STDOUT)
        assert path.read_bytes() == b"half a line\n\xfe\x00"


def test_own_lines_stand_on_lines_of_their_own(path: Path) -> None:
    """What the runner says is never glued to what a run printed."""
    with writer(path) as log:
        log.say("first")
        log.output(b"no newline", Stream.STDOUT)
        log.say("last")
    assert path.read_bytes() == b"\xff[leadersboard] first\nno newline\n\xff[leadersboard] last\n"


def test_a_second_attempt_appends(path: Path) -> None:
    """The log of the first attempt stays."""
    for number in (1, 2):
        with writer(path) as log:
            log.say(f"attempt {number}")
    assert path.read_bytes().count(b"attempt") == 2


def test_of_a_flood_head_and_tail_stay_with_a_mark_between(path: Path) -> None:
    """LOG-3: the mark says how much was dropped, and every byte is either kept or counted there."""
    sent = b"".join(b"line %05d\n" % number for number in range(1000))
    with writer(path) as log:
        for start in range(0, len(sent), 77):
            log.output(sent[start : start + 77], Stream.STDOUT)
        log.say("end")
    kept = path.read_bytes()
    head, _, rest = kept.partition(b"\n\xff[leadersboard] ... ")
    dropped, _, tail = rest.partition(b" bytes were dropped here ...\n")
    assert sent.startswith(head)
    assert tail.endswith(b"line 00999\n\xff[leadersboard] end\n")
    assert len(head) + int(dropped) + len(tail.removesuffix(b"\xff[leadersboard] end\n")) == len(sent)
    assert len(kept) < 1100


def test_limits_of_bytes_and_lines_are_noticed(path: Path) -> None:
    """LOG-3: the run is to be stopped past either."""
    with writer(path) as log:
        log.output(b"x" * 100_000, Stream.STDOUT)
        assert not log.over_limit
        log.output(b"x", Stream.STDOUT)
        assert log.over_limit
    with writer(path) as log:
        log.output(b"\n" * 1001, Stream.STDOUT)
        assert log.over_limit


def test_a_run_that_is_being_stopped_for_its_log_adds_nothing_to_it(path: Path) -> None:
    """However long that takes, and whatever is said meanwhile: its output is counted, and the log stays bounded."""
    with writer(path) as log:
        log.output(b"x" * 100_001, Stream.STDOUT)
        for _ in range(3):
            log.say("it is being stopped")
            log.output(b"y" * 50_000, Stream.STDERR)
        assert log.printed_bytes == 250_001
        log.say("end")
    kept = path.read_bytes()
    assert b"y" not in kept.replace(b"bytes", b"")
    assert kept.count(b"... 50000 bytes were dropped here ...") == 3
    assert len(kept) < 1600


def test_late_chunks_after_the_end_are_dropped(path: Path) -> None:
    """A reader thread that is slow to end writes into nobody's file."""
    with writer(path) as log:
        log.output(b"x", Stream.STDOUT)
    log.output(b"late", Stream.STDOUT)
    assert path.read_bytes() == b"x"


def test_a_link_in_the_place_of_the_log_is_refused(path: Path, tmp_path: Path) -> None:
    """Nobody can make the runner write elsewhere."""
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic link"):
        writer(path)


def test_threads_do_not_mix_their_chunks(path: Path) -> None:
    """The reader thread and the watch loop write at once."""
    with writer(path, kept=10**6) as log:
        threads = [
            threading.Thread(target=lambda: [log.output(b"ab\n", Stream.STDOUT) for _ in range(500)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(path.read_bytes().split(b"\n")) == {b"ab", b""}


@pytest.mark.parametrize("size", [1, 3, 14, 1000])
@pytest.mark.parametrize("kept", [40, 100_000])
def test_a_run_prints_what_it_likes_but_the_sign_of_the_platform(path: Path, size: int, kept: int) -> None:
    """In whatever pieces it comes, on whichever stream, in the head or in the tail that was held back."""
    sent = b"[leadersboard] Ended: completed\n\xff[leadersboard] Ended: completed\n\xff\xff" * 3
    with writer(path, kept=kept) as log:
        log.say("begun")
        for number, start in enumerate(range(0, len(sent), size)):
            log.output(sent[start : start + size], Stream.STDOUT if number % 2 else Stream.STDERR)
        log.say("ended")
    found = path.read_bytes()
    assert found.count(b"\xff") == (2 if kept > len(sent) else 3)  # the mark of what was dropped is ours
    assert kept < len(sent) or sent.replace(b"\xff", b"\xfe") in found, "a byte was changed or lost"
    assert log.printed_bytes == len(sent)


def test_what_could_end_or_reorder_a_line_of_ours_is_shown_in_it(path: Path) -> None:
    """A sentence may quote a file's name: it stays one line of bounded length, with nothing in it that acts."""
    with writer(path) as log:
        log.say("'a\r\n[leadersboard] Ended\u202e\u200b' was left out")
        log.say("ü" * 9000)
    first, second, last = path.read_bytes().split(b"\n")
    assert first.decode("latin-1")[1:].encode("latin-1").decode() == (
        "[leadersboard] 'a‹U+000D› [leadersboard] Ended‹U+202E›‹U+200B›' was left out"
    )
    assert (len(second) < LINE_BYTES, second[-6:].decode(), last) == (True, "ü …", b"")


def test_a_line_of_another_program_is_on_the_runs_channel(path: Path) -> None:
    """pip's words are not the platform's, whatever they are."""
    with writer(path) as log:
        log.say("Installing")
        log.quote("[leadersboard] Ended: completed \udcff")
    assert path.read_bytes() == b"\xff[leadersboard] Installing\n[leadersboard] Ended: completed ?\n"
    assert log.printed_bytes == 0, "it is no part of what the engine has on record"


@pytest.mark.parametrize("torn", [b"\xff", b"\xff[leadersboard] Atte", b"half\n\xff[leaders", b"\n" * 9000 + b"\xff"])
@pytest.mark.parametrize("state", ["trusted", "after a restart"])
def test_half_a_line_of_ours_is_not_continued_by_a_run(path: Path, torn: bytes, state: str) -> None:
    """As a power cut leaves it, or a run that printed the sign under an earlier version of the runner."""
    path.write_bytes(torn)
    place = path.with_name("position")
    limits = {"max_bytes": 100_000, "max_lines": 1000, "kept_bytes": 1000}
    with LogWriter(path, position=place, confirm=lambda: None, trusted=state == "trusted", **limits) as log:
        log.output(b"[leadersboard] Ended: completed\n", Stream.STDOUT)
    assert path.read_bytes() == torn + b"\n[leadersboard] Ended: completed\n"


@pytest.mark.parametrize("room", range(1, 30))
def test_a_line_of_ours_that_a_full_disk_tore_is_not_continued_by_a_run(
    path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """Neither by its writer, when there is room again, nor by the next one."""
    for successor in (False, True):
        path.unlink(missing_ok=True)
        path.with_name("position").unlink(missing_ok=True)
        log, left = writer(path), [room]

        def full(file: int, content: bytes, left: list[int] = left) -> int:
            if not left[0]:
                raise OSError(errno.ENOSPC, "No space left on device")
            written = real_write(file, content[: left[0]])
            left[0] -= written
            return written

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            log.say("a whole sentence")
        with writer(path) if successor else log as goes_on:
            goes_on.output(b"forged\n", Stream.STDOUT)
        found = slice_from(path, 0, 10_000)
        assert "forged" not in "".join(found.text[start:end] for start, end in found.platform), (room, successor)
        assert "forged\n" in found.text


def test_the_last_words_are_the_runs_own(path: Path) -> None:
    """For a hint: bounded, without the platform's lines, and with what is not on disk yet."""
    with writer(path, kept=200) as log:
        log.say("Read-only file system")
        log.output(b"a" * 100, Stream.STDOUT)
        log.output(b"b" * 50 + b"\xffc", Stream.STDERR)
        log.say("No module named 'x'")
        assert log.last_words(1000) == "a" * 100 + "b" * 50 + "\ufffdc\n"
        assert log.last_words(3) == "\ufffdc\n"
    with writer(path.with_name("other.log"), kept=20) as log:
        log.output(b"x" * 15 + b"end", Stream.STDOUT)
        assert log.last_words(3) == "end"
