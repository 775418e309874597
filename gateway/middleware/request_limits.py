"""Bounds every request before its route reads it: size, time, content type, and how many at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote_to_bytes

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain import strict_json
from core.domain.errors import Fault, InvalidInput, LeadersboardError, TooLarge
from core.domain.limits import RequestLimits
from gateway.middleware.route_table import RouteTable
from gateway.problems import handlers

UPLOADS = ("POST", "/submissions")
BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MOST_PARAMETERS = 50
JSON_TYPES = ("application/json",)


class Broken(Exception):
    """Raised when the client disconnected in the middle of its body; no answer is possible."""


class RequestLimitsMiddleware:
    """ASGI middleware. Reads JSON bodies whole, since they are small; uploads are streamed."""

    def __init__(self, app: ASGIApp, limits: RequestLimits, route_table: RouteTable) -> None:
        self._app = app
        self._limits = limits
        self._route_table = route_table
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._in_hand >= self._limits.in_hand:
            await handlers.too_busy(Request(scope))(scope, receive, send)
            return
        self._in_hand += 1
        try:
            await self._guarded(scope, receive, send)
        finally:
            self._in_hand -= 1

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            _check_address(scope)
            self._check_query(scope)
            body = await self._checked(scope, receive)
        except (LeadersboardError, HTTPException) as error:
            await handlers.refused(Request(scope), error)(scope, receive, send)
        except Broken:
            return
        else:
            await self._app(scope, body, send)

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        headers = Headers(scope=scope)
        if not self._expects_body(scope):  # no route reads it; the router answers 404 or 405
            return receive
        if (scope["method"], scope["path"]) == UPLOADS:
            _check_type(headers, ("multipart/form-data",))
            return timed(receive, self._limits.upload_seconds)
        if not _has_body(headers):
            return receive
        _check_type(headers, JSON_TYPES)
        body = await self._whole(headers, timed(receive, self._limits.body_seconds))
        _check_json(body)
        return _again(body, receive)

    def _check_query(self, scope: Scope) -> None:
        """Raise InvalidInput for query parameters that the route does not know, or that are repeated but may not be."""
        path = self._route_table.at(scope["path"]) if scope["query_string"] else None
        if path is None or (scope["method"] in path.secured and "authorization" not in Headers(scope=scope)):
            return  # the route answers 404 or 401
        known = path.queries.get(scope["method"])
        if known is not None and (faults := list(query_faults(scope["query_string"], known))):
            raise InvalidInput(*faults)

    def _expects_body(self, scope: Scope) -> bool:
        if scope["method"] not in BODY_METHODS:
            return False
        path = self._route_table.at(scope["path"])
        return path is not None and scope["method"] in path.methods

    async def _whole(self, headers: Headers, receive: Receive) -> bytes:
        limit = self._limits.json_bytes
        declared = headers.get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
            raise _too_large(limit)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Broken
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > limit:
                raise _too_large(limit)
        return bytes(body)


def timed(receive: Receive, seconds: float) -> Receive:
    """Wrap `receive`: it raises 408 unless the body is complete in `seconds`. After the body it may wait for ever."""
    deadline = asyncio.get_running_loop().time() + seconds
    whole = False

    async def in_time() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError as error:
            raise _too_slow(seconds) from error
        whole = not message.get("more_body", False)
        return message

    return in_time


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _check_address(scope: Scope) -> None:
    """Raise InvalidInput unless path and query, percent-decoded, are UTF-8 without control characters."""
    parts = {"path": scope.get("raw_path") or b"", "query": scope["query_string"]}
    faults = [Fault(field=name, rule="must be UTF-8 without control characters") for name in parts if _odd(parts[name])]
    if faults:
        raise InvalidInput(*faults)


def _odd(raw: bytes) -> bool:
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return any(character < " " or character == "\x7f" for character in text)


def query_faults(query: bytes, known: Mapping[str, bool]) -> Iterator[Fault]:
    """Yield what is wrong with a query's parameter names; `known` maps each name to whether it may be repeated."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        yield Fault(field="query", rule=f"must have at most {MOST_PARAMETERS} parameters")
        return
    for name, times in Counter(name for name, _value in pairs).items():
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            yield Fault(field=name[:80] or "query", rule=f"is no parameter of this address; it takes {listed}")
        elif times > 1 and not known[name]:
            yield Fault(field=name, rule="must be given once")


def _check_type(headers: Headers, accepted: tuple[str, ...]) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in accepted or headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send Content-Type: {accepted[0]}, without Content-Encoding."
        )


def _check_json(body: bytes) -> None:
    try:
        strict_json.parse(body)
    except strict_json.BadJson as error:
        raise InvalidInput.of("body", str(error)) from error


def _too_large(limit: int) -> TooLarge:
    return TooLarge(Fault(field="body", rule=f"must be at most {limit} bytes"))


def _too_slow(seconds: float) -> HTTPException:
    """A 408 that closes the connection: the rest of the body belongs to no other request."""
    return HTTPException(
        HTTPStatus.REQUEST_TIMEOUT, f"The body did not arrive within {seconds:g} s.", headers={"Connection": "close"}
    )


def _again(body: bytes, receive: Receive) -> Receive:
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
