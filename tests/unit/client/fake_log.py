"""A job's log on a platform of a few lines: pushed, or asked for in parts, from any byte on."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import httpx2

from tests.unit.client.fake_platform import Platform, end_event, job, log_event

EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
STREAM, PARTS, STATUS = "/jobs/j1/logs/stream", "/jobs/j1/logs", "/jobs/j1/status"


class Body(httpx2.AsyncByteStream):
    """Bytes of an answer, some at a time, and what follows: an end in order, a failure, or silence."""

    def __init__(
        self, body: bytes, failure: BaseException | None = None, *, is_endless: bool = False, step: int = 7
    ) -> None:
        self._body = body
        self._failure = failure
        self._is_endless = is_endless
        self._step = step
        self.closed = threading.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), self._step):
            yield self._body[at : at + self._step]
        if self._is_endless:
            await asyncio.Event().wait()
        if self._failure:
            raise type(self._failure)(*self._failure.args)  # raised again and again, one would keep all its frames

    async def aclose(self) -> None:
        """Remember that the connection was given back."""
        self.closed.set()


class FakeLog:
    """The whole log of a job; the first `own` characters are the platform's. A piece has `size` characters."""

    def __init__(self, text: str, *, own: int = 0, size: int = 5) -> None:
        self.text = text
        self._own = own
        self._size = size

    @property
    def length(self) -> int:
        """In bytes."""
        return len(self.text.encode())

    def events(self, offset: int = 0) -> bytes:
        """Everything that a stream from this byte brings."""
        pieces = list(self._pieces(offset))
        sent = [log_event(text, end, own) for text, end, own in pieces]
        return "".join(["retry: 1000\n\n", *sent, end_event(self.length)]).encode()

    def push(self, asked: httpx2.Request) -> httpx2.Response:
        """Answer `GET …/logs/stream`."""
        return stream_of(self.events(int(asked.url.params.get("offset", 0))))

    def part(self, asked: httpx2.Request) -> httpx2.Response:
        """Answer `GET …/logs`: one piece."""
        offset = int(asked.url.params.get("offset", 0))
        text, end, own = next(self._pieces(offset), ("", offset, []))
        answer = {"job_id": "j1", "logs": text, "platform": own, "next_offset": end}
        return httpx2.Response(200, json=answer)

    def serve(self, platform: Platform, *states: dict[str, object]) -> None:
        """Let a platform have this log, of a job that goes through these states; without one, it has completed."""
        platform.answers("GET", STREAM, self.push)
        platform.answers("GET", PARTS, self.part)
        platform.answers("GET", STATUS, *(states or (job(status="completed", phase="done"),)))

    def _pieces(self, offset: int) -> Iterator[tuple[str, int, list[list[int]]]]:
        at = len(self.text.encode()[:offset].decode())
        while at < len(self.text):
            text = self.text[at : at + self._size]
            own = [[0, min(self._own - at, len(text))]] if at < self._own else []
            at += len(text)
            yield text, len(self.text[:at].encode()), own


def stream_of(body: bytes, failure: BaseException | None = None, *, is_endless: bool = False) -> httpx2.Response:
    """A stream that brings these bytes and then ends in order, fails, or falls silent."""
    return httpx2.Response(200, headers=EVENTS, stream=Body(body, failure, is_endless=is_endless))
