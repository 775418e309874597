"""uvicorn's HTTP protocol with a pace for requests, a bounded head, and refusals as problem documents."""

from __future__ import annotations

import json
import uuid
from http import HTTPStatus
from typing import Any

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.middleware.access_log import HEADERS
from gateway.problems import document
from wire.pace import Arriving, Paced

HEAD_BYTES = 32 * 1024
HEAD_FIELDS = 100

log = structlog.get_logger("gateway.access")


class BoundedHeadProtocol(Paced, HttpToolsProtocol):
    """For `uvicorn --http gateway.middleware.bounded_head:BoundedHeadProtocol`.

    uvicorn's parser takes headers of any size, so an endless one would fill the memory.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = self._head_fields = self._parsed = 0
        self._parsing = Arriving.NOTHING
        self._refusal = HTTPStatus.BAD_REQUEST

    def arriving(self) -> Arriving:
        """The part of a request that is awaited: a head also after bytes that begin no request, such as empty lines."""
        if self._parsing is not Arriving.NOTHING:
            return self._parsing
        is_between = self.cycle is None or self.cycle.response_complete
        return Arriving.HEAD if is_between and self.timeout_keep_alive_task is None else Arriving.NOTHING

    def late(self) -> None:
        """Answer 408, or just close the connection when nothing arrived or an answer has begun."""
        is_half_a_head = self._parsing is Arriving.HEAD and self._head_bytes > 0
        is_half_a_body = self._parsing is Arriving.BODY and not self.cycle.response_started
        if is_half_a_head or is_half_a_body:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.part()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        is_head = self._parsing is Arriving.HEAD
        self._head_bytes += len(data) if is_head else 0
        if is_head and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._parsing = Arriving.HEAD
        self._head_bytes = self._head_fields = self._parsed = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_fields += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._parsing = Arriving.BODY
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._parsing = Arriving.NOTHING
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn passes its own message
        """Called for everything that the parser refuses, our own refusals included."""
        self._refuse(self._refusal)

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > HEAD_BYTES or self._head_fields > HEAD_FIELDS:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise httptools.HttpParserError("head too large")

    def _refuse(self, status: HTTPStatus) -> None:
        if self.transport.is_closing():
            return
        request_id = uuid.uuid4().hex
        log.info("request", method=None, route="unknown", status=status.value, request_id=request_id,
                 client=self.client[0] if self.client else None)  # fmt: skip
        self.transport.write(_answer(status, request_id))
        self.part()


def _answer(status: HTTPStatus, request_id: str) -> bytes:
    kind = document.KINDS[status]
    detail = "The request did not arrive in time." if status is HTTPStatus.REQUEST_TIMEOUT else kind.detail
    body = json.dumps(document.document(status, kind.codes[0], detail, request_id)).encode()
    headers = {
        "Content-Type": document.MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        "X-Request-ID": request_id,
        **HEADERS,
    }
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
