"""Streams logs as they grow: one tailer for each watched job; a viewer that falls behind reads the file (JOB-6).

A log is a file that only grows, so a viewer's position is a byte offset. Each viewer keeps its own offset, and nothing
is buffered for a slow viewer.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeVar

import structlog
from anyio import CapacityLimiter, to_thread

from core.domain.errors import LeadersboardError, LimitReached
from core.domain.job import Job
from core.ports.job_status import JobStatusPort
from core.ports.storage import LogSlice, StoragePort

PERIOD_SECONDS = 0.2
"""Seconds between two reads of a log: a line is shown within 500 ms (LOG-2)."""
LOOKS_PER_STATE = 5
PIECE_BYTES = 16 * 1024
"""Most bytes of log in one event; JSON escapes may make them six times as many."""
KEPT_PIECES = 16
"""How many of the newest pieces are cached for all viewers that keep up."""
READERS = 8
UNKNOWN = -1
STREAMS_PER_USER = 20
STREAMS_OF_ALL = 500
"""Half of the requests that may be in progress at once (`REQUEST`), so that others are still served."""
LIFE_SECONDS = 900.0
"""A stream's longest duration; then its client reconnects, and its token is checked again."""

AnswerT = TypeVar("AnswerT")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The job has ended and its whole log was sent."""

    job: Job
    offset: int


@dataclass(kw_only=True)
class Tail:
    """The end of one log. Lives as long as it has a viewer."""

    end: int = UNKNOWN
    """The byte up to which the log has been read."""
    ended: Job | None = None
    viewers: int = 0
    pieces: OrderedDict[int, LogSlice] = field(default_factory=OrderedDict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, piece: LogSlice) -> None:
        self.pieces[piece.offset] = piece
        self.end = piece.next_offset
        while len(self.pieces) > KEPT_PIECES:
            self.pieces.popitem(last=False)
        self.tell()

    def tell(self) -> None:
        """Wake all waiting viewers. Later calls wait for the next change."""
        self.changed.set()
        self.changed = asyncio.Event()

    def room_after(self, offset: int) -> int:
        """Bytes from `offset` to the next start of a piece or the end of the log; 0 when there is none."""
        places = [place for place in (*self.pieces, self.end) if place > offset]
        return min((place - offset for place in places), default=0)


class LogHub:
    """All log streams of this process. Lives from the app's start to its end; `close` ends every stream."""

    def __init__(self, job_status: JobStatusPort, storage: StoragePort) -> None:
        self._job_status = job_status
        self._storage = storage
        self._tails: dict[str, tuple[Tail, asyncio.Task[None]]] = {}
        self._streams: Counter[str] = Counter()
        self._readers = CapacityLimiter(READERS)
        self._closed = False

    @property
    def watched(self) -> int:
        """How many logs are being tailed."""
        return len(self._tails)

    def close(self) -> None:
        """End all streams; their clients reconnect by themselves."""
        self._closed = True
        for tail, _task in self._tails.values():
            tail.tell()

    @contextmanager
    def place(self, user_id: str) -> Iterator[None]:
        """Count one stream of this user while open. Raises LimitReached for too many of the user's or of all users'."""
        if self._streams[user_id] >= STREAMS_PER_USER:
            raise LimitReached(f"You are watching {STREAMS_PER_USER} logs. Close one first.", retry_after_seconds=30)
        if self._streams.total() >= STREAMS_OF_ALL:
            words = f"{STREAMS_OF_ALL} logs are being watched, which is the most at once. Try again in a minute."
            raise LimitReached(words, retry_after_seconds=60)
        self._streams[user_id] += 1
        try:
            yield
        finally:
            self._streams[user_id] -= 1
            self._streams += Counter()  # drops users without a stream

    async def follow(self, job_id: str, offset: int) -> AsyncGenerator[LogSlice | Ended]:
        """Yield the log from byte `offset` in pieces, then Ended; without Ended when the stream was cut short."""
        until = time.monotonic() + LIFE_SECONDS
        async with self._tailed(job_id) as tail:
            while not self._closed and time.monotonic() < until:
                changed, ended = tail.changed, tail.ended
                piece = await self._piece(job_id, tail, offset)
                if piece is not None:
                    offset = piece.next_offset
                    yield piece
                elif ended:
                    yield Ended(job=ended, offset=offset)
                    return
                else:
                    await _wait(changed, until - time.monotonic())

    async def _piece(self, job_id: str, tail: Tail, offset: int) -> LogSlice | None:
        """The piece at `offset`: cached for viewers that keep up, else read from the file; None at the log's end."""
        if offset in tail.pieces:
            return tail.pieces[offset]
        room = min(tail.room_after(offset), PIECE_BYTES)
        if not room:
            return None
        for size in (room, PIECE_BYTES):  # the first size may end within a character
            found = await self._read(job_id, offset, size)
            if found.next_offset > offset:
                return found
        return None

    @asynccontextmanager
    async def _tailed(self, job_id: str) -> AsyncIterator[Tail]:
        if job_id not in self._tails:
            tail = Tail()
            self._tails[job_id] = (tail, asyncio.create_task(self._watch(job_id, tail)))
        tail, task = self._tails[job_id]
        tail.viewers += 1
        try:
            yield tail
        finally:
            tail.viewers -= 1
            if not tail.viewers:
                del self._tails[job_id]
                task.cancel()

    async def _watch(self, job_id: str, tail: Tail) -> None:
        """Read the log until the job has ended and all is read. While Redis or the storage is down, try again."""
        looks, final = 0, None
        while not tail.ended:
            try:
                if looks % LOOKS_PER_STATE == 0:
                    job = await self._ask(lambda: self._job_status.get(job_id))
                    final = job if job.is_final else None
                # The state is read before the log, so the log is complete once the state is final.
                await self._read_on(job_id, tail)
                tail.ended = final
            except LeadersboardError as error:
                log.warning("log not read", job_id=job_id, error=str(error))
            looks += 1
            if tail.ended:
                tail.tell()
            else:
                await asyncio.sleep(PERIOD_SECONDS)

    async def _read_on(self, job_id: str, tail: Tail) -> None:
        if tail.end == UNKNOWN:
            last = await self._ask(lambda: self._storage.read_log(job_id, tail_lines=1))
            tail.end = last.next_offset
            tail.tell()
        while (piece := await self._read(job_id, tail.end, PIECE_BYTES)).next_offset > tail.end:
            tail.add(piece)

    async def _read(self, job_id: str, offset: int, size: int) -> LogSlice:
        return await self._ask(lambda: self._storage.read_log_from(job_id, offset, max_bytes=size))

    async def _ask(self, question: Callable[[], AnswerT]) -> AnswerT:
        return await to_thread.run_sync(question, limiter=self._readers)


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await changed.wait()
    except TimeoutError:
        return


@contextmanager
def closed_by_signals(hub: LogHub) -> Iterator[None]:
    """Close the hub at SIGTERM or SIGINT: the server waits for open answers before it ends the app's lifespan."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set signal handlers; here the app runs in another
        return
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    earlier = {number: signal.getsignal(number) for number in signals}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(hub.close)
        before = earlier[signal.Signals(number)]
        if callable(before):
            before(number, frame)

    for number in signals:
        if callable(earlier[number]):  # without a handler the signal ends the process, as it should
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, before in earlier.items():
            if callable(before):
                signal.signal(number, before)
