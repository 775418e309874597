"""Logs pushed as they grow (JOB-6, LOG-2): nothing missing, nothing twice, one reader for many viewers."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

import gateway.live.log_stream
from core.domain.errors import LimitReached
from core.ports.storage import LogSlice
from gateway.live.log_stream import (
    KEPT_PIECES,
    PERIOD_SECONDS,
    PIECE_BYTES,
    STREAMS_PER_USER,
    Ended,
    Tail,
    closed_by_signals,
)
from tests.unit.gateway.live.watched_run import Run, run, take, until

pytestmark = pytest.mark.unit
__all__ = ["run"]


def test_every_viewer_gets_every_byte_once(run: Run) -> None:
    """JOB-6: from wherever each begins and whatever the bytes are, pieces follow each other without gap or double."""
    hostile = "€ é \0 \x1b[31m <b>".encode() + b"\xe2\x82" + b"\xff\xfe" + b"\xf0\x9f" + b"line\n"
    whole = b"".join(hostile[number % 7 :] for number in range(4000))

    async def watched() -> None:
        cut = len(whole) // 2
        run.prints(whole[:cut])
        viewers = [asyncio.create_task(run.all_from(offset)) for offset in (0, 1, 2, 3, 5000, cut - 1, cut)]
        for start in range(cut, len(whole), 10_007):
            await asyncio.sleep(0.01)
            run.prints(whole[start : start + 10_007])
        run.ends()
        for task, first in zip(viewers, (0, 1, 2, 3, 5000, cut - 1, cut), strict=True):
            _text, pieces = await task
            places = [(piece.offset, piece.next_offset) for piece in pieces]
            assert [start for start, _end in places] == [first, *(end for _start, end in places)][:-1]
            assert places[-1][1] == len(whole)

    asyncio.run(asyncio.wait_for(watched(), 20))


def test_what_is_sent_is_what_was_printed(run: Run) -> None:
    """A viewer's text is the log's, also when it ends in the middle of the file and goes on later."""
    text = "".join(f"epoch {number} – é€\n" for number in range(3000))
    run.prints(text.encode())
    run.ends()

    async def watched() -> None:
        assert (await run.all_from(0))[0] == text
        middle = len(text[:1500].encode())
        assert (await run.all_from(middle))[0] == text[1500:]
        assert await run.all_from(len(text.encode())) == ("", [])

    asyncio.run(asyncio.wait_for(watched(), 10))


def test_half_a_character_before_a_kept_piece_stops_nobody(run: Run) -> None:
    """LOG-4: what looks like the beginning of a character where a kept piece begins is read together with it."""
    run.prints(b"aaa\xe2" + "😀".encode() + b"\n")
    tail = Tail(end=9)
    tail.pieces[4] = LogSlice(text="😀\n", offset=4, next_offset=9)

    async def passed() -> list[LogSlice | None]:
        return [await run.hub._piece(run.job_id, tail, offset) for offset in (1, 3)]

    first, second = asyncio.run(passed())
    assert first is not None
    assert (first.text, first.next_offset) == ("aa", 3)
    assert second is not None
    assert (second.text, second.next_offset) == ("\N{REPLACEMENT CHARACTER}😀\n", 9)


def test_pieces_are_bounded(run: Run) -> None:
    """LOG-4: one line of 1 MB is many events, and no more than the newest pieces are kept for all."""
    run.prints(b"x" * 1_000_000)
    run.ends()

    async def watched() -> None:
        _text, pieces = await run.all_from(0)
        assert max(piece.next_offset - piece.offset for piece in pieces) <= PIECE_BYTES
        assert len(pieces) >= 1_000_000 / PIECE_BYTES

    asyncio.run(watched())


def test_viewers_who_keep_up_share_one_reader(run: Run) -> None:
    """PER-4: for fifty viewers each line is read once, as for one, and the last to leave stops the reading."""

    async def reads_of(viewers: int) -> int:
        before = run.storage.grown
        seen: list[list[LogSlice | Ended]] = [[] for _ in range(viewers)]
        tasks = [asyncio.create_task(take(run.hub.follow(run.job_id, 0), 3, into=found)) for found in seen]
        await until(lambda: run.hub.watched == 1 and run.hub._tails[run.job_id][0].end == 0)
        for number in range(1, 4):
            run.prints(b"line %d\n" % number)
            await until(lambda lines=number: all(len(found) == lines for found in seen))  # type: ignore[misc]
        await asyncio.gather(*tasks)
        run.storage.log_path(run.job_id).unlink()
        assert run.hub.watched == 0
        return run.storage.grown - before

    async def both() -> None:
        assert [await reads_of(1), await reads_of(50)] == [3, 3]

    asyncio.run(asyncio.wait_for(both(), 20))


def test_a_slow_viewer_holds_up_nobody_and_nothing_is_kept_for_them(run: Run) -> None:
    """JOB-6: who falls behind reads on from the file; memory holds only the newest pieces."""

    async def watched() -> None:
        slow = run.hub.follow(run.job_id, 0)
        run.prints(b"first\n")
        first = await anext(slow)
        assert isinstance(first, LogSlice)
        quick = asyncio.create_task(run.all_from(0))
        tail, _task = run.hub._tails[run.job_id]
        for number in range(1, 4):
            run.prints(b"y" * (KEPT_PIECES * PIECE_BYTES))
            await until(lambda parts=number: tail.end == 6 + parts * KEPT_PIECES * PIECE_BYTES)  # type: ignore[misc]
        assert len(tail.pieces) == KEPT_PIECES
        run.ends()
        text, _pieces = await quick
        rest = [piece.text async for piece in slow if isinstance(piece, LogSlice)]
        assert first.text + "".join(rest) == text
        assert len(text) == 6 + 3 * KEPT_PIECES * PIECE_BYTES

    asyncio.run(asyncio.wait_for(watched(), 20))


def test_a_waiting_viewer_sees_a_line_with_the_next_read(run: Run) -> None:
    """LOG-2: and two reads are close enough for a line to be seen within half a second."""
    assert PERIOD_SECONDS <= 0.25

    async def watched() -> None:
        events = run.hub.follow(run.job_id, 0)
        for number in range(5):
            waiting = asyncio.create_task(anext(events))
            await asyncio.sleep(0)
            run.prints(b"%d\n" % number)
            found = await waiting
            assert isinstance(found, LogSlice)
            assert found.text == f"{number}\n"
        await events.aclose()

    asyncio.run(asyncio.wait_for(watched(), 20))


def test_a_log_that_is_away_is_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short fault of the storage or the ledger ends no stream and loses nothing."""

    async def watched() -> None:
        seen = asyncio.create_task(run.all_from(0))
        await until(lambda: run.storage.reads > 0)
        run.storage.away = True
        run.prints(b"while away\n")
        before = run.storage.reads
        await until(lambda: run.storage.reads > before + 2)
        assert not seen.done()
        run.storage.away = False
        run.ends()
        assert (await seen)[0] == "while away\n"

    asyncio.run(asyncio.wait_for(watched(), 10))


def test_streams_end_when_the_server_is_told_to_stop(run: Run) -> None:
    """RUN-3: an open stream does not hold up the end, and the server still hears of the signal."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))

    async def watched() -> None:
        with closed_by_signals(run.hub):
            seen = asyncio.create_task(take(run.hub.follow(run.job_id, 0), 9))
            await until(lambda: run.storage.reads > 0)
            os.kill(os.getpid(), signal.SIGTERM)
            assert await asyncio.wait_for(seen, 20) == []

    try:
        asyncio.run(watched())
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_stream_has_a_longest_life(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUT-4: its viewer comes again, with a token that is checked anew."""
    monkeypatch.setattr(gateway.live.log_stream, "LIFE_SECONDS", 0.02)
    assert asyncio.run(asyncio.wait_for(take(run.hub.follow(run.job_id, 0), 1), 20)) == []


def test_one_user_has_so_many_streams(run: Run) -> None:
    """One user cannot take all; who closes one may open one."""
    places = [run.hub.place("ada") for _ in range(STREAMS_PER_USER)]
    for place in places:
        place.__enter__()
    with pytest.raises(LimitReached), run.hub.place("ada"):
        pass
    with run.hub.place("bob"):
        places[0].__exit__(None, None, None)
    with run.hub.place("ada"):
        pass


def test_all_users_together_leave_room_for_other_requests(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty users with twenty streams each would hold every request that may be in hand."""
    monkeypatch.setattr("gateway.live.log_stream.STREAMS_OF_ALL", 2)
    told = pytest.raises(LimitReached, match="2 logs are being watched")
    with run.hub.place("ada"), run.hub.place("bob"), told, run.hub.place("cyd"):
        pass
    with run.hub.place("cyd"):
        pass
