"""Logs pushed as they grow (JOB-6, LOG-2): nothing missing, nothing twice, one reader for many viewers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import fastapi.routing
import httpx2
import pytest

import gateway.live.log_stream
from core.adapters.files.storage import FilesystemStorage
from core.domain.errors import LimitReached, Unavailable
from core.domain.job import Claim, JobRequest, JobState, Outcome
from core.domain.limits import UploadLimits, UserLimits
from core.ports.storage import LogSlice
from gateway.live.log_stream import KEPT_PIECES, PIECE_BYTES, STREAMS_PER_USER, Ended, LogHub, Tail, closed_by_signals
from gateway.routes.logs import RETRY_MS
from tests.twins.job_status import MemoryJobStatus
from tests.unit.gateway.whole_site import Site, site

pytestmark = pytest.mark.unit
__all__ = ["site"]


class CountingStorage(FilesystemStorage):
    """Counts who reads how far; can be away."""

    reads = 0
    away = False

    def read_log_from(self, job_id: str, offset: int, *, max_bytes: int = 1024 * 1024) -> LogSlice:
        self.reads += 1
        if self.away:
            raise Unavailable("The storage")
        return super().read_log_from(job_id, offset, max_bytes=max_bytes)


@dataclass
class Run:
    """A running job, its log and the hub that its viewers come to."""

    jobs: MemoryJobStatus
    storage: CountingStorage
    claim: Claim
    hub: LogHub

    @property
    def job_id(self) -> str:
        return self.claim.job_id

    def prints(self, raw: bytes) -> None:
        with self.storage.log_path(self.job_id).open("ab") as log:
            log.write(raw)

    def ends(self) -> None:
        self.jobs.finish(self.claim, Outcome(state=JobState.COMPLETED))

    async def all_from(self, offset: int) -> tuple[str, list[LogSlice]]:
        """Everything that a viewer sees until the end."""
        pieces: list[LogSlice] = []
        async with aclosing(self.hub.follow(self.job_id, offset)) as events:
            async for event in events:
                if isinstance(event, Ended):
                    assert event.job.state is JobState.COMPLETED
                    assert event.offset == (pieces[-1].next_offset if pieces else offset)
                else:
                    pieces.append(event)
        return "".join(piece.text for piece in pieces), pieces


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "logs").mkdir()
    storage = CountingStorage(upload_root=tmp_path, log_root=tmp_path / "logs", limits=UploadLimits(), min_free_bytes=0)
    jobs = MemoryJobStatus()
    jobs.admit(JobRequest(submission_id="5" * 32, user_id="ann", resource_class="small", benchmark="b"), UserLimits())
    claim = jobs.claim("small", worker="w", lease_seconds=60, running_limit=1)
    assert claim
    return Run(jobs, storage, claim, LogHub(jobs, storage))


def test_every_viewer_gets_every_byte_once(run: Run) -> None:
    """JOB-6: from wherever each begins and whatever the bytes are, pieces follow each other without gap or double."""
    hostile = "€ é \0 \x1b[31m <b>".encode() + b"\xe2\x82" + b"\xff\xfe" + b"\xf0\x9f" + b"line\n"
    whole = b"".join(hostile[number % 7 :] for number in range(4000))

    async def watched() -> None:
        cut = len(whole) // 2
        run.prints(whole[:cut])
        viewers = [asyncio.create_task(run.all_from(offset)) for offset in (0, 1, 2, 3, 5000, cut - 1, cut)]
        for start in range(cut, len(whole), 10_007):
            await asyncio.sleep(0.03)
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
    """PER-4: fifty viewers cost about what one costs, and the last to leave stops the reading."""

    async def reads_of(viewers: int) -> int:
        before = run.storage.reads
        tasks = [asyncio.create_task(take(run.hub.follow(run.job_id, 0), 3)) for _ in range(viewers)]
        for number in range(3):
            await asyncio.sleep(0.3)
            run.prints(b"line %d\n" % number)
        await asyncio.gather(*tasks)
        run.storage.log_path(run.job_id).unlink()
        assert run.hub.watched == 0
        return run.storage.reads - before

    async def both() -> None:
        alone = await reads_of(1)
        assert await reads_of(50) <= alone + 8

    asyncio.run(asyncio.wait_for(both(), 20))


async def take(events: AsyncGenerator[LogSlice | Ended], count: int) -> list[LogSlice | Ended]:
    found = []
    async with aclosing(events):
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


def test_a_slow_viewer_holds_up_nobody_and_nothing_is_kept_for_them(run: Run) -> None:
    """JOB-6: who falls behind reads on from the file; memory holds only the newest pieces."""

    async def watched() -> None:
        slow = run.hub.follow(run.job_id, 0)
        run.prints(b"first\n")
        first = await anext(slow)
        assert isinstance(first, LogSlice)
        quick = asyncio.create_task(run.all_from(0))
        for _ in range(3):
            run.prints(b"y" * (KEPT_PIECES * PIECE_BYTES))
            await asyncio.sleep(0.3)
        tail, _task = run.hub._tails[run.job_id]
        assert len(tail.pieces) == KEPT_PIECES
        run.ends()
        text, _pieces = await quick
        rest = [piece.text async for piece in slow if isinstance(piece, LogSlice)]
        assert first.text + "".join(rest) == text
        assert len(text) == 6 + 3 * KEPT_PIECES * PIECE_BYTES

    asyncio.run(asyncio.wait_for(watched(), 20))


def test_a_line_is_seen_within_half_a_second(run: Run) -> None:
    """LOG-2."""

    async def watched() -> None:
        events = run.hub.follow(run.job_id, 0)
        for number in range(5):
            waiting = asyncio.create_task(anext(events))
            await asyncio.sleep(0.07 * number)
            run.prints(b"now\n")
            began = time.monotonic()
            await waiting
            assert time.monotonic() - began < 0.5
        await events.aclose()

    asyncio.run(watched())


def test_a_log_that_is_away_is_waited_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short fault of the storage or the ledger ends no stream and loses nothing."""

    async def watched() -> None:
        seen = asyncio.create_task(run.all_from(0))
        await asyncio.sleep(0.3)
        run.storage.away = True
        run.prints(b"while away\n")
        await asyncio.sleep(0.5)
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
            await asyncio.sleep(0.3)
            os.kill(os.getpid(), signal.SIGTERM)
            assert await asyncio.wait_for(seen, 1) == []

    try:
        asyncio.run(watched())
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_stream_has_a_longest_life(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUT-4: its viewer comes again, with a token that is checked anew."""
    monkeypatch.setattr(gateway.live.log_stream, "LIFE_SECONDS", 0.3)
    assert asyncio.run(asyncio.wait_for(take(run.hub.follow(run.job_id, 0), 1), 2)) == []


def test_one_user_has_so_many_streams(run: Run) -> None:
    """One user cannot take all; who closes one may open one."""
    places = [run.hub.place("ann") for _ in range(STREAMS_PER_USER)]
    for place in places:
        place.__enter__()
    with pytest.raises(LimitReached), run.hub.place("ann"):
        pass
    with run.hub.place("bob"):
        places[0].__exit__(None, None, None)
    with run.hub.place("ann"):
        pass


def test_all_users_together_leave_room_for_other_requests(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty users with twenty streams each would hold every request that may be in hand."""
    monkeypatch.setattr("gateway.live.log_stream.STREAMS_OF_ALL", 2)
    told = pytest.raises(LimitReached, match="2 logs are being watched")
    with run.hub.place("ann"), run.hub.place("bob"), told, run.hub.place("cyd"):
        pass
    with run.hub.place("cyd"):
        pass


def events_of(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """The events of a stream, as a browser reads them; comments are an event named ''."""
    event: dict[str, str] = {}
    for line in lines:
        if not line:
            yield event
            event = {}
        else:
            name, _, value = line.partition(": ")
            event[name] = event.get(name, "") + value


def test_a_stream_over_http_resumes_where_it_was_cut(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """JOB-6: ids are byte positions, `Last-Event-ID` goes before `offset`, the end is told with the final state."""
    monkeypatch.setattr(fastapi.routing, "_PING_INTERVAL", 0.2)
    with site.served() as (client, _server):
        job_id = site.posted(client)  # type: ignore[arg-type]
        claim = site.claimed()
        site.log_file(job_id).write_text("one\n")
        with client.stream("GET", f"/jobs/{job_id}/logs/stream") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            events = events_of(answer.iter_lines())
            assert next(events) == {"retry": "1000"}
            first = next(event for event in events if "data" in event)
            assert (first["event"], first["id"], json.loads(first["data"])) == (
                "log",
                "4",
                {"text": "one\n", "platform": []},
            )
            assert next(events) == {"": "ping"}
        with site.log_file(job_id).open("a") as log:
            log.write("two\n")
        timer = threading.Timer(0.5, lambda: site.jobs.finish(claim, Outcome(state=JobState.CANCELLED)))
        timer.start()
        headers = {"Last-Event-ID": first["id"]}
        with client.stream("GET", f"/jobs/{job_id}/logs/stream?offset=0", headers=headers) as answer:
            found = [event for event in events_of(answer.iter_lines()) if "data" in event]
        assert [json.loads(event["data"]) for event in found] == [
            {"text": "two\n", "platform": []},
            {"status": "cancelled", "failure_reason": None},
        ]
        assert [(event["event"], event["id"]) for event in found] == [("log", "8"), ("end", "8")]


def test_a_viewer_who_goes_away_is_noticed(site: Site) -> None:
    """JOB-6: nothing is read for somebody who has left."""
    with site.served() as (client, server):
        job_id = site.posted(client)  # type: ignore[arg-type]
        hub: LogHub = server.config.app.state.log_hub  # type: ignore[union-attr]
        with client.stream("GET", f"/jobs/{job_id}/logs/stream") as answer:
            lines = answer.iter_lines()
            assert next(lines) == f"retry: {RETRY_MS}"
            assert eventually(lambda: hub.watched == 1)
        assert eventually(lambda: hub.watched == 0)
        assert eventually(lambda: not +hub._streams)


def eventually(check: object, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not check() and time.monotonic() < until:  # type: ignore[operator]
        time.sleep(0.02)
    return bool(check())  # type: ignore[operator]


def test_a_stream_begins_with_the_last_lines(site: Site) -> None:
    """JOB-6: without a place the stream begins 1,000 lines before the end."""
    with site.browser() as client:
        job_id = site.posted(client)
        site.log_file(job_id).write_text("".join(f"{number}\n" for number in range(1500)))
        site.completed()
        text = "".join(
            json.loads(event["data"])["text"]
            for event in events_of(client.get(f"/jobs/{job_id}/logs/stream").iter_lines())
            if event.get("event") == "log"
        )
    assert text.splitlines() == [str(number) for number in range(500, 1500)]


@pytest.mark.parametrize("mark", ["-1", "x", "9" * 16, "1.5"])
def test_a_foreign_event_id_is_refused(site: Site, mark: str) -> None:
    """A place is somebody's text until it is checked; the refusal comes before the stream begins."""
    with site.browser() as client:
        job_id = site.posted(client)
        answer: httpx2.Response = client.get(f"/jobs/{job_id}/logs/stream", headers={"Last-Event-ID": mark})  # type: ignore[assignment]
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "last-event-id"
