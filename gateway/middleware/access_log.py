"""Gives every request an id, counts and times it, logs one line, and answers 500 when something breaks."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import json_logs
from gateway.metrics import Metrics
from gateway.middleware.route_table import RouteTable
from gateway.problems import handlers

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
OUR_ID = re.compile(r"[0-9a-f]{32}")
UPLOAD_ROUTE = "/submissions"
NOTHING_ANSWERED = 499
"""Logged when the client disconnected before an answer; never sent."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Defaults for every answer. HSTS is left to the proxy: only it knows whether there is TLS."""

log = structlog.get_logger("gateway.access")


@dataclass(kw_only=True, slots=True)
class _Seen:
    """The progress of one request."""

    started: float = field(default_factory=time.perf_counter)
    status: int = NOTHING_ANSWERED
    received: int = 0
    sent: int = 0


class AccessLogMiddleware:
    """The outermost middleware; plain ASGI, because passing bodies through queues would cost more than all of this."""

    def __init__(self, app: ASGIApp, metrics: Metrics, route_table: RouteTable) -> None:
        self._app = app
        self._metrics = metrics
        self._route_table = route_table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id", ""))
        scope.setdefault("state", {})["request_id"] = request_id
        with json_logs.request_ids(request_id=request_id) as ids, self._metrics.in_flight.track_inprogress():
            seen = _Seen()
            try:
                await self._answered(scope, _counting(receive, seen), _dressing(send, seen, request_id), seen)
            finally:
                self._told(scope, ids, seen)

    def _template(self, path: str) -> str | None:
        known = self._route_table.at(path)
        return known.template if known else None

    async def _answered(self, scope: Scope, receive: Receive, send: Send, seen: _Seen) -> None:
        """Run the app. An exception becomes a problem document, unless an answer has begun."""
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # a fault of ours is answered and logged, never silent
            if seen.status != NOTHING_ANSWERED:
                raise
            await handlers.unexpected(Request(scope), error)(scope, receive, send)

    def _told(self, scope: Scope, ids: dict[str, str], seen: _Seen) -> None:
        route = getattr(scope.get("route"), "path", None) or self._template(scope["path"])
        seconds = time.perf_counter() - seen.started
        self._metrics.observe(scope["method"], route, seen.status, seconds)
        if route == UPLOAD_ROUTE and seen.received:
            self._metrics.upload_bytes.inc(seen.received)
        client = scope.get("client")
        log.info(
            "request",
            method=scope["method"][:16],
            route=route or "unknown",
            status=seen.status,
            duration_ms=round(seconds * 1000, 1),
            bytes_in=seen.received,
            bytes_out=seen.sent,
            client=client[0] if client else None,
            **{key: value for key, value in _path_ids(scope).items() if key not in ids},
        )


def _request_id(offered: str) -> str:
    """The client's own id if it is well-formed, so that a chain of services shares it; else a new one."""
    return offered if REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex


def _path_ids(scope: Scope) -> dict[str, str]:
    """Path parameters that are ids of ours; others are the client's text and stay out of the log."""
    found: dict[str, Any] = scope.get("path_params", {})
    return {key: value for key, value in found.items() if isinstance(value, str) and OUR_ID.fullmatch(value)}


def _counting(receive: Receive, seen: _Seen) -> Receive:
    async def counted() -> Message:
        message = await receive()
        seen.received += len(message.get("body", b""))
        return message

    return counted


def _dressing(send: Send, seen: _Seen, request_id: str) -> Send:
    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = request_id
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        seen.sent += len(message.get("body", b""))
        await send(message)

    return dressed
