"""Pieces of a live log as lines."""

import pytest

from client.cli.log_lines import LONGEST_LINE, LogLine, LogLines

pytestmark = pytest.mark.unit


def test_pieces_become_whole_lines() -> None:
    """A line cut between two pieces comes once, whole; an escape sequence cut in two does no harm."""
    lines = LogLines()
    assert lines.feed("one\ntw") == [LogLine(text="one")]
    assert lines.feed("o\x1b[3") == []
    assert lines.feed("1m!\n") == [LogLine(text="two!")]
    assert lines.finish() == []


def test_a_progress_bar_shows_its_last_state() -> None:
    """Carriage returns overwrite, as they would on a terminal."""
    assert LogLines().feed("10%\r50%\r100%\r\n") == [LogLine(text="100%")]


def test_an_endless_line_is_given_out() -> None:
    """A line without an end does not fill the memory."""
    lines = LogLines()
    assert len(lines.feed("x" * (LONGEST_LINE + 1))[0].text) == LONGEST_LINE + 1
    assert lines.finish() == []


def test_whose_a_line_is_says_its_channel_and_nothing_else() -> None:
    """A program may print the platform's very words; a line of the platform may come in two pieces."""
    lines = LogLines()
    assert lines.feed("[leadersboard] Ended: completed\n🙂\n[leadersboard] At", [(34, 51)]) == [
        LogLine(text="[leadersboard] Ended: completed"),
        LogLine(text="🙂"),
    ]
    assert lines.feed("tempt 1\n[leadersboard] forged\n", [(0, 8)]) == [
        LogLine(text="[leadersboard] Attempt 1", platform=True),
        LogLine(text="[leadersboard] forged"),
    ]
    assert lines.feed("no end") == []
    assert lines.feed("[leadersboard] own", [(0, 18)]) == [LogLine(text="no end")]
    assert lines.finish() == [LogLine(text="[leadersboard] own", platform=True)]
