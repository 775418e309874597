"""Serves MLflow's pages and reads to signed-in users below `/mlflow/`, with access checked on each call (DOR-4)."""

from __future__ import annotations

import json
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from core.domain import strict_json
from core.domain.errors import Forbidden, LeadersboardError
from core.domain.tracking_access import READ_ONLY, understood
from core.domain.tracking_call import Asked, Shows, TrackingCall
from core.domain.user import Role, User
from core.ports.tracking_reads import TrackingAnswer
from core.usecases.read_tracking import ReadTracking
from gateway.dependencies import CurrentUser, PortsPart, SettingsPart, TrackingReadsPart
from gateway.live.open_files import BoundedStream
from gateway.middleware.route_table import OWN_QUERY
from gateway.problems import handlers
from gateway.routes.artifacts import HeldOpen, disposition
from gateway.state import state_of

router = APIRouter(prefix="/mlflow", include_in_schema=False)

CHECKED_HERE = {OWN_QUERY: True}
"""The parameters of MLflow's calls are checked in core/domain/tracking_access.py instead."""
WHOLE = 1024 * 1024
"""Answers of up to so many bytes are sent in one piece."""
PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-src 'self' blob:; media-src blob:; manifest-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
"""Nothing is loaded from or sent to another origin. No inline scripts, so that a previewed file runs none either.

'unsafe-eval' is for MLflow's plots, which compile their drawing code; only a script that already runs can use it.
"""
FILE_KINDS = frozenset(
    f"{of}/{kind}"
    for of, kinds in {
        "image": ("png", "jpeg", "gif", "webp", "bmp", "avif", "tiff"),
        "audio": ("mpeg", "ogg", "wav", "x-wav"),
        "video": ("mp4", "webm", "ogg"),
        "text": ("plain", "csv", "markdown"),
        "application": ("json", "pdf", "x-yaml"),
    }.items()
    for kind in kinds
)
"""The media types that a file may be sent as. A browser runs no script and applies no style of any of them.

SVG is left out: opened in its own tab, even as a page's blob URL, its scripts run.
"""
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
KEPT = "private, max-age=2419200, immutable"
"""Cache-Control of the page's parts, whose names contain their content's hash."""
CODES = {HTTPStatus.NOT_FOUND: "RESOURCE_DOES_NOT_EXIST", HTTPStatus.FORBIDDEN: "PERMISSION_DENIED"}
"""MLflow's own error codes, which its pages read."""


async def _usecase(ports: PortsPart, reads: TrackingReadsPart, settings: SettingsPart) -> ReadTracking:
    return ReadTracking(
        job_status=ports.job_status,
        benchmarks=ports.benchmarks,
        reads=reads,
        files_open=settings.tracking_artifacts == "all",
    )


async def _body(request: Request) -> object:
    """The JSON body; the middleware has bounded, read and checked it already."""
    raw = await request.body()
    return strict_json.parse(raw) if raw else None


UseCase = Annotated[ReadTracking, Depends(_usecase)]
Body = Annotated[object, Depends(_body)]


@router.get("/{path:path}", openapi_extra=CHECKED_HERE)
def read(path: str, request: Request, user: CurrentUser, usecase: UseCase, stack: HeldOpen) -> Response:
    """A page, a part of one, an answer of MLflow, or a file of a run."""
    asked = Asked(method="GET", path=path, query=request.query_params.multi_items())
    return _answered(request, usecase, user, asked, stack)


@router.post("/{path:path}", openapi_extra=CHECKED_HERE)
def search(path: str, request: Request, body: Body, user: CurrentUser, usecase: UseCase, stack: HeldOpen) -> Response:
    """A search, with its query in the body. Every other POST is refused."""
    asked = Asked(method="POST", path=path, query=request.query_params.multi_items(), body=body)
    return _answered(request, usecase, user, asked, stack)


@router.api_route("/{path:path}", methods=["PUT", "PATCH", "DELETE"], openapi_extra=CHECKED_HERE)
def refuse(request: Request, _user: CurrentUser) -> Response:
    """Refuse all other methods of MLflow's pages and clients: they would change something."""
    return _refused(request, Forbidden(READ_ONLY))


def _answered(request: Request, usecase: ReadTracking, user: User, asked: Asked, stack: ExitStack) -> Response:
    open_files = state_of(request.app).open_files
    try:
        is_file = understood(asked).shows is Shows.FILE
        file = stack.enter_context(open_files.one_of(user.user_id)) if is_file else None
        call, answer = stack.enter_context(usecase(user, asked))
        if file is not None:
            file.weigh(answer.size_bytes)
        if user.role is Role.ADMIN:
            _record(request, usecase, user, call)
        return _sent(call, answer)
    except LeadersboardError as error:
        return _refused(request, error)


def _record(request: Request, usecase: ReadTracking, admin: User, call: TrackingCall) -> None:
    """Record in the audit trail, before the answer, a read that only admins may make. Raises Unavailable."""
    auditor = state_of(request.app).auditor
    if call.files_of is not None:
        auditor.run_read(request, admin, call.files_of)
    for kind, target in usecase.of_no_board(call):
        if target != call.files_of:
            auditor.tracking_read(request, admin, kind, target)


def _sent(call: TrackingCall, answer: TrackingAnswer) -> Response:
    """MLflow's answer with only our own headers."""
    headers, kind = _headers(call, answer), _kind(call, answer)
    if answer.size_bytes is not None and answer.size_bytes <= WHOLE:
        return Response(b"".join(answer.pieces), answer.status, headers, media_type=kind)
    if answer.size_bytes is not None:
        headers["Content-Length"] = str(answer.size_bytes)
    return BoundedStream(answer.pieces, answer.status, headers, media_type=kind)


def _headers(call: TrackingCall, answer: TrackingAnswer) -> dict[str, str]:
    is_good = answer.status == HTTPStatus.OK
    if call.shows is Shows.PAGE:
        return {"Content-Security-Policy": PAGE_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    if call.shows is Shows.PART:
        return {"Content-Security-Policy": PAGE_POLICY, **({"Cache-Control": KEPT} if is_good else {})}
    if call.shows is Shows.FILE and is_good:
        name = PurePosixPath(dict(call.query).get("path", call.path)).name
        return {"Content-Security-Policy": FILE_POLICY, "Content-Disposition": disposition(name, inline=False)}
    return {"Content-Security-Policy": FILE_POLICY}


def _kind(call: TrackingCall, answer: TrackingAnswer) -> str:
    """The answer's media type: MLflow's for the page and its parts, one of FILE_KINDS or plain text for the rest."""
    if call.shows in {Shows.PAGE, Shows.PART} and answer.status == HTTPStatus.OK:
        return answer.media_type
    kind = answer.media_type.partition(";")[0].strip().lower()
    if kind not in FILE_KINDS:
        kind = "text/plain"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _refused(request: Request, error: LeadersboardError) -> Response:
    """The problem document with MLflow's own two error fields, so that its pages show the message."""
    answer = handlers.refused(request, error)
    content = json.loads(bytes(answer.body))
    content |= {"error_code": CODES.get(HTTPStatus(answer.status_code), "BAD_REQUEST"), "message": content["detail"]}
    headers = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
    return JSONResponse(content, answer.status_code, headers, media_type=answer.media_type)
