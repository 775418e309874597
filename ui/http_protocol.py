"""The HTTP protocol of the UI's two ports: uvicorn's h11 protocol with a least pace for requests and answers."""

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from wire.pace import Arriving, Paced

LATE = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 37\r\n\r\nThe request did not arrive in time.\r\n"
)


class PacedProtocol(Paced, H11Protocol):
    """Uses h11 because, unlike uvicorn's other parser, it bounds the size of a head."""

    def arriving(self) -> Arriving:
        """The awaited part of a request: a head on a new connection, and from the first byte after an answer."""
        if self.conn.their_state is h11.SEND_BODY:
            return Arriving.BODY
        is_between = self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None
        return Arriving.HEAD if is_between else Arriving.NOTHING

    def late(self) -> None:
        """Close the connection; answer 408 first if something arrived and no answer has begun."""
        has_begun = self.cycle is not None and self.cycle.response_started and self.conn.our_state is not h11.IDLE
        is_silent = self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        if not has_begun and not is_silent and not self.transport.is_closing():
            self.transport.write(LATE)
        self.part()
