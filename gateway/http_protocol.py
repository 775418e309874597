"""uvicorn's HTTP protocol and what it leaves out: a request's head has a time and a size, refusals our shape."""

from __future__ import annotations

import asyncio
import json
import uuid
from http import HTTPStatus
from typing import Any

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway import problems
from gateway.access_log import HEADERS

HEAD_SECONDS = 10.0
"""From the connection, or the last answer's end plus keep-alive, to the end of the headers."""
HEAD_BYTES = 32 * 1024
HEAD_FIELDS = 100

log = structlog.get_logger("gateway.access")


class DoorProtocol(HttpToolsProtocol):
    """For `uvicorn --http gateway.http_protocol:DoorProtocol`.

    uvicorn's time-outs begin after the first answer, and its parser takes headers of any size: without this, a sender
    that never finishes its headers holds a connection for ever, and one that never stops fills the memory.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = 0
        self._head_fields = self._parsed = 0
        self._in_head = False
        self._refusal = HTTPStatus.BAD_REQUEST
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._head_bytes += len(data) if self._in_head else 0
        if self._in_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin_head()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_fields += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn calls it with its own words
        """Whatever the parser refuses comes here, our own refusals included."""
        self._refuse(self._refusal)

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > HEAD_BYTES or self._head_fields > HEAD_FIELDS:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise httptools.HttpParserError("head too large")

    def _begin_head(self) -> None:
        self._end_head()
        self._in_head = True
        self._head_bytes = self._head_fields = self._parsed = 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._late)

    def _end_head(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _late(self) -> None:
        """A connection on which nothing came is closed in silence; half a head is told."""
        if self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        self._end_head()
        if self.transport.is_closing():
            return
        request_id = uuid.uuid4().hex
        log.info("request", method=None, route="unknown", status=status.value, request_id=request_id,
                 client=self.client[0] if self.client else None)  # fmt: skip
        self.transport.write(_answer(status, request_id))
        self.transport.close()


def _answer(status: HTTPStatus, request_id: str) -> bytes:
    kind = problems.KINDS[status]
    detail = "The headers did not arrive in time." if status is HTTPStatus.REQUEST_TIMEOUT else kind.detail
    body = json.dumps(problems.document(status, kind.codes[0], detail, request_id)).encode()
    headers = {
        "Content-Type": problems.MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        "X-Request-ID": request_id,
        **HEADERS,
    }
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
