"""Maps errors to HTTP answers by one table; always `application/problem+json` (RFC 9457) with a request id."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core.domain import errors
from core.domain.errors import Fault, LeadersboardError
from gateway.problems import document
from gateway.problems.rate_headers import rate_headers

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

log = structlog.get_logger(__name__)


def install(app: FastAPI, methods_at: Callable[[str], Collection[str]]) -> None:
    """Make every error of the app a problem document. `methods_at` gives the methods that a path has."""

    async def of_http(request: Request, error: Exception) -> JSONResponse:
        return _of_http(request, error, _allowed(request, error, methods_at))

    app.add_exception_handler(LeadersboardError, _ours)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, of_http)


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer for an error, in the shape that all errors have."""
    listed = [Fault(field=_utf8(fault.field), rule=_utf8(fault.rule)) for fault in faults]
    content = document.document(status, code, _utf8(detail), request_id(request), listed)
    return JSONResponse(content, status, headers=dict(headers or {}), media_type=document.MEDIA_TYPE)


def request_id(request: Request) -> str:
    """The id of this request, as in the access log; empty when there is none."""
    return str(getattr(request.state, "request_id", ""))


def _utf8(text: str) -> str:
    """Replace lone surrogates: a message may quote them from a client's text, and UTF-8 cannot encode them."""
    return text.encode("utf-8", "replace").decode()


def refused(request: Request, error: Exception) -> JSONResponse:
    """The answer for an error in a middleware, where FastAPI's exception handlers do not apply."""
    return _of_http(request, error) if isinstance(error, HTTPException) else _of_ours(request, error)


def too_busy(request: Request) -> JSONResponse:
    """The answer when too many requests are in progress."""
    detail = "Too many requests are in hand. Try again in a moment."
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "too_busy", detail, headers=headers)


def unexpected(request: Request, error: Exception) -> JSONResponse:
    """The answer for an unexpected exception: the log gets the traceback, the client only the request id."""
    log.error("request broke", exc_info=error)
    kind = document.KINDS[HTTPStatus.INTERNAL_SERVER_ERROR]
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, kind.codes[0], kind.detail)


def status_of(error: LeadersboardError) -> HTTPStatus:
    """The status of the error's closest class in the table."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


async def _ours(request: Request, error: Exception) -> JSONResponse:
    return _of_ours(request, error)


def _of_ours(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, LeadersboardError):
        raise error
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request failed", code=error.code, error=str(error))
    faults = error.faults if isinstance(error, errors.InvalidInput) else ()
    return problem(request, status, error.code, str(error), faults=faults, headers=_headers(error))


def _headers(error: LeadersboardError) -> dict[str, str]:
    if isinstance(error, errors.LimitReached):
        left = rate_headers(error.allowance) if error.allowance else {}
        return {"Retry-After": str(error.retry_after_seconds), **left}
    if isinstance(error, errors.Unavailable):
        return {"Retry-After": str(RETRY_SECONDS)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, errors.Unauthenticated) else {}


async def _validation(request: Request, error: Exception) -> JSONResponse:
    found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
    faults = [Fault(field=_field(item), rule=item["msg"]) for item in found]
    detail = "; ".join(f"{fault.field}: {fault.rule}" for fault in faults)
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_input", detail, faults=faults)


def _field(fault: Mapping[str, Any]) -> str:
    """The field's name without `body` or `query`. For unreadable JSON `body` alone, since only a position follows."""
    location = fault["loc"][:1] if fault["type"] == "json_invalid" else fault["loc"][1:] or fault["loc"]
    return ".".join(str(part)[:80] for part in location)


def _of_http(request: Request, error: Exception, allowed: Mapping[str, str] | None = None) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    kind = document.KINDS.get(error.status_code)
    code = kind.codes[0] if kind else HTTPStatus(error.status_code).phrase.lower().replace(" ", "_").replace("-", "_")
    detail = str(error.detail) if error.detail != HTTPStatus(error.status_code).phrase or not kind else kind.when
    headers = {**(error.headers or {}), **(allowed or {})}
    return problem(request, error.status_code, code, detail, headers=headers)


def _allowed(request: Request, error: Exception, methods_at: Callable[[str], Collection[str]]) -> dict[str, str]:
    """The Allow header with every method of the path; the router lists only those of the first matching route."""
    if not isinstance(error, HTTPException) or error.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
        return {}
    methods = methods_at(request.url.path)
    return {"Allow": ", ".join(sorted(methods))} if methods else {}
