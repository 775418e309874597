"""CORS: pages of the listed origins may call the API; refused preflights are problem documents (AUT-5)."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.problems import handlers


class ProblemCorsMiddleware(CORSMiddleware):
    """Starlette's middleware, except that refused preflights are problem documents instead of plain text."""

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code == HTTPStatus.OK:
            return answer
        return _Refusal(bytes(answer.body).decode(), answer.headers)


class _Refusal(Response):
    """A refused preflight; rendered when it is sent, because a problem document needs the request's id."""

    def __init__(self, why: str, headers: Headers) -> None:
        super().__init__()
        self._why = why.removeprefix("Disallowed CORS ")
        self._kept = {name: value for name, value in headers.items() if not name.startswith("content-")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"A page of another origin may not send this request. What is not allowed: {self._why}."
        answer = handlers.problem(
            Request(scope), HTTPStatus.BAD_REQUEST, "cross_origin_refused", detail, headers=self._kept
        )
        await answer(scope, receive, send)
