"""One table: each error of ours as an HTTP answer, always `application/problem+json` (RFC 9457) with a request id."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core.domain import errors
from core.domain.errors import Fault, LeadersboardError

STATUS: Mapping[type[LeadersboardError], HTTPStatus] = {
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.LimitReached: HTTPStatus.TOO_MANY_REQUESTS,
    errors.StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
RETRY_SECONDS = 5
CODES = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.TooLarge.code}
"""Of the statuses that the framework raises itself; every other is called by its phrase."""

log = structlog.get_logger(__name__)


def install(app: FastAPI) -> None:
    """Make every error of the app a problem document."""
    app.add_exception_handler(LeadersboardError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


class ProblemResponse(JSONResponse):
    """Written as ASCII: it quotes what was sent, which may be no text that could be encoded."""

    media_type = "application/problem+json"

    def render(self, content: object) -> bytes:
        return json.dumps(content).encode()


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The one shape of every error; it passes no middleware when something broke, so it brings its headers along."""
    content = {
        "type": f"urn:leadersboard:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [{"field": fault.field, "rule": fault.rule} for fault in faults],
        "request_id": request_id(request),
    }
    return ProblemResponse(content, status, headers={**safe_headers(request), **(headers or {})})


def safe_headers(request: Request) -> dict[str, str]:
    """What every answer carries: its request's id, and nothing that a browser could take for a page or keep."""
    return {"X-Request-ID": request_id(request), "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def request_id(request: Request) -> str:
    """The id of this request, made once; the server's log has it, too."""
    if not hasattr(request.state, "request_id"):
        request.state.request_id = uuid.uuid4().hex
    return str(request.state.request_id)


def status_of(error: LeadersboardError) -> HTTPStatus:
    """The most special row of the table that fits."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


async def _ours(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, LeadersboardError):
        raise error
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", request_id=request_id(request), path=request.url.path, error=str(error))
    faults = error.faults if isinstance(error, errors.InvalidInput) else ()
    return problem(request, status, error.code, str(error), faults=faults, headers=_headers(error))


def _headers(error: LeadersboardError) -> dict[str, str]:
    if isinstance(error, errors.LimitReached):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, errors.Unavailable):
        return {"Retry-After": str(RETRY_SECONDS)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, errors.Unauthenticated) else {}


async def _validation(request: Request, error: Exception) -> JSONResponse:
    found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
    faults = [Fault(field=_field(item), rule=item["msg"]) for item in found]
    detail = "; ".join(f"{fault.field}: {fault.rule}" for fault in faults)
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", detail, faults=faults)


def _field(fault: Mapping[str, Any]) -> str:
    """Its name without `body` or `query`; of JSON that cannot be read only the position would be left."""
    location = fault["loc"][:1] if fault["type"] == "json_invalid" else fault["loc"][1:] or fault["loc"]
    return ".".join(str(part)[:80] for part in location)


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    code = CODES.get(status) or status.phrase.lower().replace(" ", "_")
    return problem(request, error.status_code, code, str(error.detail), headers=error.headers)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("request broke", request_id=request_id(request), path=request.url.path, exc_info=error)
    detail = "Something broke on our side. Quote the request id to an admin."
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail)
