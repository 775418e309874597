"""Reading a growing log: tails, and slices that neither lose nor double a character."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.adapters.files.log_files import BLOCK, MAX_TAIL_BYTES, slice_from, tail
from core.ports.storage import LogSlice

pytestmark = pytest.mark.unit

PIECES = st.sampled_from(
    [b"\n", b"\r", b"a", b"\x00", b"\xff", b"\xc3", b"\xa9", "é".encode(), "🙂".encode(), b"\x1b[31m"]
)
BYTES = st.lists(PIECES | st.binary(max_size=3), max_size=60).map(b"".join)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "x.log"
    path.write_bytes(content)
    return path


def told(found: LogSlice) -> tuple[str, int, int]:
    """All that a piece says: its text, and the bytes at which it begins and ends."""
    return found.text, found.offset, found.next_offset


def last_lines(text: str, count: int) -> str:
    """By definition: the text after the `count`th newline from the end, a last one that ends the text not counted."""
    lines = text.split("\n")
    ended = lines[-1] == ""
    kept = (lines[:-1] if ended else lines)[-count:]
    return "\n".join(kept) + ("\n" if ended and kept else "")


def test_a_missing_log_is_empty(tmp_path: Path) -> None:
    """JOB-6: no log yet is an empty text at byte 0."""
    assert told(tail(tmp_path / "none", 10)) == ("", 0, 0)
    assert told(slice_from(tmp_path / "none", 77, 10)) == ("", 0, 0)


@pytest.mark.parametrize(
    ("content", "lines", "expected"),
    [
        (b"", 5, ""),
        (b"\n", 5, "\n"),
        (b"a", 5, "a"),
        (b"a\nb", 1, "b"),
        (b"a\nb\n", 1, "b\n"),
        (b"a\nb\n", 2, "a\nb\n"),
        (b"a\nb\nc", 2, "b\nc"),
        (b"a\n\n\n", 2, "\n\n"),
        (b"a\nb", 0, ""),
        (b"\n\nx", 1, "x"),
    ],
)
def test_the_tail_is_the_last_lines(tmp_path: Path, content: bytes, lines: int, expected: str) -> None:
    """A line is counted whether or not it is ended already; the offsets are the text's begin and the file's end."""
    end = len(content)
    assert told(tail(written(tmp_path, content), lines)) == (expected, end - len(expected), end)


@given(st.text("ab\n", max_size=40), st.integers(1, 12))
def test_the_tail_follows_its_definition(tmp_path_factory: pytest.TempPathFactory, text: str, lines: int) -> None:
    """For any text and number of lines."""
    assert tail(written(tmp_path_factory.mktemp("log"), text.encode()), lines).text == last_lines(text, lines)


def test_the_tail_crosses_blocks(tmp_path: Path) -> None:
    """Lines and characters that lie across the blocks of reading are whole."""
    lines = [f"{n} {'é' * 40}" for n in range(3000)]
    path = written(tmp_path, "\n".join(lines).encode())
    assert path.stat().st_size > 3 * BLOCK
    assert tail(path, 2500).text.split("\n") == lines[-2500:]


def test_the_tail_is_bounded_in_bytes(tmp_path: Path) -> None:
    """LOG-4: one endless line costs no more than the limit and a block."""
    found = tail(written(tmp_path, b"x" * (MAX_TAIL_BYTES * 2)), 1000)
    assert MAX_TAIL_BYTES <= len(found.text) <= MAX_TAIL_BYTES + BLOCK
    assert (found.offset, found.next_offset) == (found.next_offset - len(found.text), MAX_TAIL_BYTES * 2)


@pytest.mark.parametrize(("offset", "text", "following"), [(0, "abc", 3), (2, "c", 3), (3, "", 3), (2**53, "", 3)])
def test_a_slice_begins_at_its_offset(tmp_path: Path, offset: int, text: str, following: int) -> None:
    """Nothing new is an empty text; an offset past the end comes back to the end."""
    assert told(slice_from(written(tmp_path, b"abc"), offset, 100)) == (text, min(offset, 3), following)


def test_a_character_that_is_cut_waits_for_the_next_slice(tmp_path: Path) -> None:
    """H72: half a character is neither shown broken nor lost."""
    path = written(tmp_path, b"a" + "🙂".encode()[:2])
    first = slice_from(path, 0, 100)
    assert told(first) == ("a", 0, 1)
    path.write_bytes(b"a" + "🙂b".encode())
    assert slice_from(path, first.next_offset, 100).text == "🙂b"


def test_the_tail_leaves_a_cut_character_too(tmp_path: Path) -> None:
    """Tail and the slices after it join without a seam."""
    path = written(tmp_path, b"x\na" + "é".encode()[:1])
    first = tail(path, 1)
    assert told(first) == ("a", 2, 3)
    path.write_bytes(b"x\na" + "éz".encode())
    assert first.text + slice_from(path, first.next_offset, 100).text == "aéz"


@pytest.mark.slow
@settings(deadline=None)
@given(content=BYTES, most=st.integers(4, 16), steps=st.lists(st.integers(0, 20), max_size=12))
@example(content=b"\xf0\x9f", most=4, steps=[1, 1])
def test_slices_join_to_the_whole_log(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, most: int, steps: list[int]
) -> None:
    """LOG-4: however the log grows and is sliced, the pieces are the whole, nothing lost and nothing double."""
    path = written(tmp_path_factory.mktemp("log"), b"")
    text, offset, size = "", 0, 0
    for step in [*steps, len(content), *[0] * (len(content) // (most - 3) + 2)]:
        size = min(len(content), size + step)
        path.write_bytes(content[:size])
        found = slice_from(path, offset, most)
        assert offset <= found.next_offset <= size
        text, offset = text + found.text, found.next_offset
    whole = content.decode("utf-8", "replace")
    left = content[offset:]
    assert len(left) < 4
    assert text + left.decode("utf-8", "replace") == whole


@settings(deadline=None)
@given(content=BYTES, lines=st.integers(1, 5), cut=st.integers(0, 60))
def test_a_tail_joins_to_the_slices_after_it(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, lines: int, cut: int
) -> None:
    """Whoever starts with the tail and goes on by offsets sees every byte from there on once."""
    path = written(tmp_path_factory.mktemp("log"), content[:cut])
    first = tail(path, lines)
    path.write_bytes(content)
    rest = slice_from(path, first.next_offset, 10_000)
    shown = first.text + rest.text + content[rest.next_offset :].decode("utf-8", "replace")
    assert content.decode("utf-8", "replace").endswith(shown)
