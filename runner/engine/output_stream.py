"""Reading what one container prints: attached from before its start, or from the engine's own record of it.

Attached, nothing is missed and a flood waits for us. The record (the `local` driver's) is for whoever comes later:
another runner, or this one when its stream broke. It is read from its beginning, and what was taken before is skipped.
"""

from __future__ import annotations

import contextlib
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import docker
import docker.errors

from core.domain.limits import MIB
from core.ports.sandbox import RunOutput, Stream

CONNECT_SECONDS = 60
PAUSE_SECONDS = 1.0
BURST_SECONDS = 2.0
BYTES_PER_SECOND = 8 * MIB
LINES_PER_SECOND = 100_000
"""What prints more than this for longer than a burst is held up in its own writes: the engine and all who share its
machine pay for each byte and line of a flood."""
TRIES = 5
"""So often a broken stream is taken up again before the rest of the text is given up; the run itself goes on."""
_HEADER = struct.Struct(">BxxxL")


class OutputStream:
    """One thread that reads until the output has ended or `close` was called."""

    def __init__(self, socket: str, container_id: str, output: RunOutput) -> None:
        self._socket, self._container, self._output = socket, container_id, output
        self._api = docker.APIClient(base_url=socket, timeout=CONNECT_SECONDS)
        self._opened: Any = None
        self._paid_until = 0.0
        self._closed = threading.Event()
        self.ended = threading.Event()

    def attach(self) -> None:
        """Call before the container is started.

        The engine's record is not asked for as well: what is printed while the engine reads that would come twice.
        """
        stream: Any = self._api.attach(self._container, stdout=True, stderr=True, stream=True, demux=True)
        self._opened = stream._response  # noqa: SLF001 the stream's own `close` leaves its connection open
        self._begin(lambda: self._attached(stream))

    def follow(self) -> None:
        """For a container that was started before."""
        self._begin(self._recorded)

    def close(self) -> None:
        self._closed.set()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._opened is not None:
            with contextlib.suppress(Exception):  # it may be closing from the other side at this moment
                self._opened.close()

    def _begin(self, read: Callable[[], None]) -> None:
        threading.Thread(target=self._run, args=(read,), daemon=True, name="log reader").start()

    def _run(self, read: Callable[[], None]) -> None:
        try:
            for _try in range(TRIES):
                with contextlib.suppress(Exception):  # a broken stream ends the text, never the run: `state` decides
                    read()
                    if not self._still_runs():
                        return
                if self._closed.wait(PAUSE_SECONDS):
                    return
                self._hang_up()
                read = self._recorded
        finally:
            self.ended.set()
            self.close()
            self._api.close()

    def _still_runs(self) -> bool:
        """Raises what the engine raises: then it is not known, and the record is read."""
        try:
            return bool(self._api.inspect_container(self._container)["State"]["Running"])
        except docker.errors.NotFound:
            return False

    def _attached(self, stream: Iterator[tuple[bytes | None, bytes | None]]) -> None:
        for stdout, stderr in stream:
            if stdout:
                self._take(stdout, Stream.STDOUT)
            if stderr:
                self._take(stderr, Stream.STDERR)

    def _recorded(self) -> None:
        skip = {stream: self._output.taken_of(stream) for stream in Stream}
        url = f"{self._api.base_url}/v{self._api.api_version}/containers/{self._container}/logs"
        wanted = {"stdout": 1, "stderr": 1, "follow": 1}
        with self._api.get(url, params=wanted, stream=True, timeout=(CONNECT_SECONDS, None)) as answer:
            answer.raise_for_status()
            self._opened = answer
            for stream, chunk in _frames(answer.raw):
                known = min(skip[stream], len(chunk))
                skip[stream] -= known
                if chunk[known:]:
                    self._take(chunk[known:], stream)

    def _take(self, chunk: bytes, stream: Stream) -> None:
        self._output.output(chunk, stream)
        cost = len(chunk) / BYTES_PER_SECOND + chunk.count(b"\n") / LINES_PER_SECOND
        now = time.monotonic()
        self._paid_until = max(self._paid_until, now - BURST_SECONDS) + cost
        if self._paid_until > now:
            self._closed.wait(self._paid_until - now)


def _frames(raw: Any) -> Iterator[tuple[Stream, bytes]]:
    while header := raw.read(_HEADER.size):
        number, length = _HEADER.unpack(header)
        yield Stream(number), raw.read(length)
