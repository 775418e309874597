"""Numbers, sizes and times in words."""

from datetime import UTC, datetime, timedelta

import pytest

from client.wording import ago, between, duration, memory, number, size

pytestmark = pytest.mark.unit


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


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0, 40, "at most 40.0 s"), (610, 1190, "10 min to 20 min"), (59, 61, "59.0 s to 1 min 01 s")],
)
def test_ranges_in_words(low: float, high: float, words: str) -> None:
    assert between(low, high) == words
