"""Foreign text on a terminal, and numbers in words."""

from datetime import UTC, datetime, timedelta

import pytest

import client.visible_text
import core.domain.visible_text
from client.cli.log_lines import LONGEST_LINE, LogLine, LogLines
from client.cli.overrides import BadOption, job_config, parse_metadata, parse_overrides
from client.cli.terminal import ESCAPES, harmless, log_line, one_line, table
from client.visible_text import visible
from client.wording import ago, duration, memory, number, size

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07red", "red"),
        ("\x9b31mred", "red"),
        ("re\x00d\x08", "re‹U+0000›d‹U+0008›"),
        ("\x1bcred", "red"),
        ("\x1b", "‹U+001B›"),
        ("\u202ered", "‹U+202E›red"),
        ("r\u200b\u00ad\u2060\u200eed", "r‹U+200B›‹U+00AD›‹U+2060›‹U+200E›ed"),
        ("re\u2028d\u2029", "re‹U+2028›d‹U+2029›"),
        ("\ufe0f\U000e0041\u3164\u115f\uffa0\u034f", "‹U+FE0F›‹U+E0041›‹U+3164›‹U+115F›‹U+FFA0›‹U+034F›"),
        ("\ud800", "‹U+D800›"),
        ("\x1b]8;;http://x\x1b\\red", "red"),
        ("rot é 漢 🙂\t\n", "rot é 漢 🙂\t\n"),
    ],
)
def test_no_control_reaches_the_terminal(hostile: str, shown: str) -> None:
    """Colours, titles, cursor moves and links are gone; what has no shape, or turns others round, is shown."""
    assert harmless(hostile) == shown


def test_names_stay_on_their_line() -> None:
    """A name with line ends cannot forge a second line."""
    assert one_line("a\nb\r\n\tc") == "a b c"
    assert len(table(["H"], [["x\ny"]])) == 2


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


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.97, "1 min"),
        (61, "1 min 01 s"),
        (1800, "30 min"),
        (3600, "1 h"),
        (3720, "1 h 02 min"),
    ],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    """No duration shows sixty seconds or trailing zeros."""
    assert duration(seconds) == words


def test_numbers_and_sizes_read_well() -> None:
    """Four digits after the point, decimal sizes, binary memory."""
    assert (number(None), number(0.98765), number(123456.7)) == ("-", "0.9877", "123,457")
    assert (size(999), size(1500), size(2_000_000)) == ("999 B", "1.5 kB", "2.0 MB")
    assert (memory(4 * 2**30), memory(300 * 2**20)) == ("4 GiB", "300 MiB")


def test_times_are_relative() -> None:
    """A moment is told as its distance; one in the future is now."""
    now = datetime.now(UTC)
    assert (ago(None), ago(now + timedelta(hours=1))) == ("-", "just now")
    assert (ago(now - timedelta(minutes=5)), ago(now - timedelta(days=3))) == ("5 min ago", "3 d ago")


def test_overrides_are_json_or_text() -> None:
    """Numbers, booleans and lists are taken as such; anything else is text, also with an equals sign in it."""
    assert parse_overrides(["a=1", "b=true", "c=[1]", "d=x=y", "e="]) == {
        "a": 1,
        "b": True,
        "c": [1],
        "d": "x=y",
        "e": "",
    }


@pytest.mark.parametrize("pair", ["novalue", "=1", "benchmark=x", "resource_class=small"])
def test_bad_overrides_are_told(pair: str) -> None:
    """A pair that is none, or has its own option, is refused in words."""
    with pytest.raises(BadOption):
        parse_overrides([pair])


@pytest.mark.parametrize("text", ["{", "[]", "1"])
def test_metadata_is_an_object(text: str) -> None:
    """Only a JSON object is metadata."""
    with pytest.raises(BadOption):
        parse_metadata(text)


def test_choices_join_the_overrides() -> None:
    """Only choices that were made are in the job's config."""
    assert job_config({"a": 1}, benchmark=None, resource_class="small") == {"a": 1, "resource_class": "small"}


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


def test_the_margin_tells_both_apart_without_colour() -> None:
    """Whatever a program prints, the margin of its lines is blank."""
    ours = log_line("[leadersboard] Ended", platform=True)
    assert ESCAPES.sub("", ours) == "> [leadersboard] Ended"
    assert log_line("> [leadersboard] Ended", platform=False) == "  > [leadersboard] Ended"


def test_both_houses_show_the_same_characters() -> None:
    """The client stands alone, so the rule is there twice: it must not drift apart."""
    every = "".join(map(chr, range(0x110000)))
    assert client.visible_text.visible(every) == core.domain.visible_text.visible(every)
    assert visible(visible(every)) == visible(every)
