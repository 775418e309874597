"""Foreign text on a terminal, and numbers in words."""

from datetime import UTC, datetime, timedelta

import pytest

from client.log_lines import LONGEST_LINE, LogLines
from client.overrides import BadOption, job_config, parse_metadata, parse_overrides
from client.terminal import harmless, one_line, table
from client.wording import ago, duration, memory, number, size

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07red",
        "\x9b31mred",
        "re\x00d\x08",
        "\x1bcred",
        "\u202ered",
        "\x1b]8;;http://x\x1b\\red",
    ],
)
def test_no_control_reaches_the_terminal(hostile: str) -> None:
    """Colours, titles, cursor moves, links and direction overrides are gone; the words stay."""
    assert harmless(hostile) == "red"


def test_names_stay_on_their_line() -> None:
    """A name with line ends cannot forge a second line."""
    assert one_line("a\nb\r\n\tc") == "a b c"
    assert len(table(["H"], [["x\ny"]])) == 2


def test_pieces_become_whole_lines() -> None:
    """A line cut between two pieces comes once, whole; an escape sequence cut in two does no harm."""
    lines = LogLines()
    assert lines.feed("one\ntw") == ["one"]
    assert lines.feed("o\x1b[3") == []
    assert lines.feed("1m!\n") == ["two!"]
    assert lines.finish() == []


def test_a_progress_bar_shows_its_last_state() -> None:
    """Carriage returns overwrite, as they would on a terminal."""
    assert LogLines().feed("10%\r50%\r100%\r\n") == ["100%"]


def test_an_endless_line_is_given_out() -> None:
    """A line without an end does not fill the memory."""
    lines = LogLines()
    assert len(lines.feed("x" * (LONGEST_LINE + 1))[0]) == LONGEST_LINE + 1
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


def test_escapes_do_not_make_a_line_of_the_platform() -> None:
    """What begins as the platform's own lines do after its escapes are gone is shown as what it is."""
    lines = LogLines().feed("[leadersboard] true\n[leaders\x1b[0mboard] forged\nx\r[leaders\x00board] forged\n")
    assert lines == ["[leadersboard] true", "[leadersboard) forged", "[leadersboard) forged"]
