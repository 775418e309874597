"""Closes stalled connections: a request head or body that does not arrive, an answer that the client does not read.

uvicorn's only time-out starts after an answer and ends with the next byte, whatever follows it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uvicorn.protocols.http.flow_control import FlowControl

    class _Served(asyncio.Protocol):
        """The part that uvicorn's two HTTP protocols have in common."""

        transport: asyncio.Transport
        flow: FlowControl
        timeout_keep_alive_task: asyncio.TimerHandle | None

        def on_response_complete(self) -> None: ...
        def timeout_keep_alive_handler(self) -> None: ...
else:
    _Served = object

HEAD_SECONDS = 10.0
"""Time from the connection, or the first byte after an answer, to the end of the headers."""
BODY_SECONDS = 60.0
"""In each such period `LEAST_BYTES` of a body must arrive, or its end; slow uploads may take as long as they need."""
TAKEN_SECONDS = 30.0
"""In each such period a client must read `LEAST_BYTES` of the waiting output, or the rest."""
LEAST_BYTES = 32 * 1024
SEND_BUFFER = 256 * 1024
"""Bytes that the kernel buffers per client. By default it would buffer 4 MB, which count as the container's memory."""


class Arriving(Enum):
    """The part of a request that is still to arrive."""

    NOTHING = "nothing"
    """The application is working, or the connection waits for its next request."""
    HEAD = "head"
    BODY = "body"


class PaceTimer:
    """Checks periodically whether enough bytes have moved since the last check, and calls `late` if not."""

    def __init__(self, late: Callable[[], None]) -> None:
        self._late = late
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float, moved: Callable[[], float]) -> None:
        """`moved` returns how many bytes have moved so far."""
        self.stop()
        self._again(seconds, moved, moved())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _again(self, seconds: float, moved: Callable[[], float], before: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look, seconds, moved, before)

    def _look(self, seconds: float, moved: Callable[[], float], before: float) -> None:
        now = moved()
        if now - before < LEAST_BYTES:
            self._late()
        else:
            self._again(seconds, moved, now)


class Paced(_Served):
    """A mix-in to put before one of uvicorn's HTTP protocols. Its two timers live as long as the connection."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._received = 0
        self._waits_for = Arriving.NOTHING
        self._arrival = PaceTimer(self.late)
        self._departure = PaceTimer(self._untaken)

    def arriving(self) -> Arriving:
        """The part still to arrive, as the parser knows it."""
        raise NotImplementedError

    def late(self) -> None:
        """Called when the expected part did not arrive in time."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._follow()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrival.stop()
        self._departure.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._follow()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._follow()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._departure.start(TAKEN_SECONDS, self._taken)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._departure.stop()

    def part(self) -> None:
        """Close the connection once the client has read the waiting output, or did not in time."""
        if not self.transport.is_closing():
            self.transport.close()
        self._follow()

    def _follow(self) -> None:
        """Time the part that is expected now."""
        if self.transport.is_closing():
            self._arrival.stop()
            if self.transport.get_write_buffer_size():
                self._departure.start(TAKEN_SECONDS, self._taken)
            return
        wanted = self.arriving()
        if wanted is self._waits_for:
            return
        self._waits_for = wanted
        if wanted is Arriving.HEAD:
            self._arrival.start(HEAD_SECONDS, lambda: 0.0)
        elif wanted is Arriving.BODY:
            self._arrival.start(BODY_SECONDS, self._come)
        else:
            self._arrival.stop()

    def _come(self) -> float:
        """Bytes that arrived. While the application does not read, the sender is not counted as slow."""
        if self.flow.read_paused:
            self._received += LEAST_BYTES
        return self._received

    def _taken(self) -> float:
        return -self.transport.get_write_buffer_size()

    def _untaken(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
