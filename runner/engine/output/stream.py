"""Reads what one container prints: attached from before its start, or from the engine's own record of it.

Attached, nothing is missed, and a flood waits for the reader; if this process is paused, the pump lets the run go on.
The record (the `local` driver's) is for later readers: another runner, or this one when its stream broke. It is read
from its beginning, and what was taken before is skipped.
"""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import docker
import docker.errors

from core.domain.limits import MIB
from core.ports.sandbox import RunOutput, Stream
from runner.engine.container_spec import ENTRY_BYTES
from runner.engine.output import pump

CONNECT_SECONDS = 60
PAUSE_SECONDS = 1.0
BURST_SECONDS = 2.0
BYTES_PER_SECOND = 8 * MIB
LINES_PER_SECOND = 100_000
"""A program that prints more than this for longer than a burst is blocked in its writes: each byte and line of a flood
costs the engine and everything else on its machine."""
UNREAD_SECONDS = 30.0
"""How long a run waits for a paused reader: another runner has its job by then."""
ENTRY_AT_MOST = 64 * 1024
"""The engine starts a new file of the record a little before its size is reached, by at most this many bytes."""
TRIES = 5
"""How often a broken stream is taken up again before the rest of the text is given up; the run itself goes on."""
_HEADER = struct.Struct(">BxxxL")


class OutputStream:
    """One thread that reads until the output has ended or `close` was called."""

    def __init__(self, socket: str, container_id: str, output: RunOutput, *, record_bytes: int) -> None:
        self._container, self._output = container_id, output
        self._record_bytes = record_bytes
        self._api = docker.APIClient(base_url=socket, timeout=CONNECT_SECONDS)
        self._opened: Any = None
        self._paid_until = 0.0
        self._closed = threading.Event()
        self.ended = threading.Event()

    def attach(self) -> None:
        """Call before the container is started.

        The engine's record is not requested as well: what is printed while the engine reads it would come twice.
        """
        wanted = {"stdout": 1, "stderr": 1, "stream": 1}
        opened: Any = self._api.attach_socket(self._container, params=wanted)
        pump = _Pump(opened.fileno())
        opened._response.close()  # noqa: SLF001 its own `close` leaves the connection open, which only the pump may hold
        opened.close()
        self._opened = pump
        self._begin(lambda: self._attached(pump))

    def follow(self) -> None:
        """Reads from the record; for a container that was started before."""
        self._begin(self._recorded)

    def settle(self) -> None:
        """Puts what was read on disk; raises as the output's own `settle`."""
        self._output.settle()

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
                with contextlib.suppress(Exception):  # a broken stream ends the text, never the run
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
        """Whether the container runs. Passes the engine's errors on: then that is not known, and the record is read."""
        try:
            return bool(self._api.inspect_container(self._container)["State"]["Running"])
        except docker.errors.NotFound:
            return False

    def _attached(self, pump: _Pump) -> None:
        for stream, chunk in frames(pump.chunks()):
            self._take(chunk, stream)

    def _recorded(self) -> None:
        skip = {stream: self._output.taken_of(stream) for stream in Stream}
        room = self._record_bytes - ENTRY_AT_MOST
        url = f"{self._api.base_url}/v{self._api.api_version}/containers/{self._container}/logs"
        wanted = {"stdout": 1, "stderr": 1, "follow": 1}
        with self._api.get(url, params=wanted, stream=True, timeout=(CONNECT_SECONDS, None)) as answer:
            answer.raise_for_status()
            self._opened = answer
            for stream, chunk in frames(answer.raw.stream(pump.CHUNK_BYTES)):
                known = min(skip[stream], len(chunk))
                skip[stream] -= known
                if chunk[known:]:
                    self._take(chunk[known:], stream)
                if room >= 0 and (room := room - len(chunk) - ENTRY_BYTES) < 0:  # its beginning may be gone by now
                    self._output.incomplete()

    def _take(self, chunk: bytes, stream: Stream) -> None:
        self._output.output(chunk, stream)
        cost = len(chunk) / BYTES_PER_SECOND + chunk.count(b"\n") / LINES_PER_SECOND
        now = time.monotonic()
        self._paid_until = max(self._paid_until, now - BURST_SECONDS) + cost
        if self._paid_until > now:
            self._closed.wait(self._paid_until - now)


class _Pump:
    """The pump's process; lives as long as the stream that it reads."""

    def __init__(self, stream: int) -> None:
        ours, its = os.pipe()
        self._pipe = os.fdopen(ours, "rb", buffering=0)
        try:
            self._process = subprocess.Popen(  # noqa: S603 no word of a submission is in it
                [sys.executable, "-I", "-S", pump.__file__, str(UNREAD_SECONDS)], stdin=stream, stdout=its,
                stderr=subprocess.DEVNULL, start_new_session=True,  # a signal to our whole group leaves it running
            )  # fmt: skip
        except BaseException:  # whatever it is, the pipe must not stay open; raised on
            self._pipe.close()
            raise
        finally:
            os.close(its)

    def chunks(self) -> Iterator[bytes]:
        """Yields what the container prints. Raises ConnectionError when something is missing."""
        with self._pipe:
            while chunk := self._pipe.read(pump.CHUNK_BYTES):
                yield chunk
        if self._process.wait():
            raise ConnectionError("the stream was let go")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def frames(chunks: Iterable[bytes]) -> Iterator[tuple[Stream, bytes]]:
    """Removes the engine's framing. Drops an incomplete frame at the end of a broken stream."""
    came = b""
    for chunk in chunks:
        came += chunk
        at = 0
        while at + _HEADER.size <= len(came):
            number, length = _HEADER.unpack_from(came, at)
            end = at + _HEADER.size + length
            if end > len(came):
                break
            yield Stream(number), came[at + _HEADER.size : end]
            at = end
        came = came[at:]
