"""Filters requests to Gradio: only our pages' routes, calls of declared events, and the session's own event streams.

Everything else is 404, also routes that a later Gradio adds. A request is rebuilt before it is passed on (path, query,
headers and body), and only the status of Gradio's refusals and failures is kept.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.browser_sessions import BrowserSessions
from ui.gradio_answers import answered, without_words
from ui.gradio_events import PAGE_KEY, BadCall, DeclaredEvents, is_text
from ui.gradio_queue import GradioQueue
from ui.open_pages import OpenPages, TooManyPages
from ui.session_store import Session

JOIN, DATA, THEME = "/gradio_api/queue/join", "/gradio_api/queue/data", "/theme.css"
READING = frozenset({"GET", "HEAD"})
QUERY = frozenset({"benchmark", "metric", "entries", "id"})
"""Query parameters of our pages; all others are dropped."""
HEADERS = frozenset({b"host", b"cookie", b"accept", b"accept-language", b"user-agent", b"if-none-match"})
PROXY_HEADERS = {
    b"x-forwarded-proto": re.compile(rb"https?"),
    b"x-forwarded-host": re.compile(rb"[A-Za-z0-9.:\[\]_-]+"),
}
"""From these Gradio builds the site's address in an answer."""
MOST_BODY = 16 * 1024
MOST_EVENTS = 20
"""Events of one user that may wait or run; Gradio's queue takes 500 in all."""
BODY_SECONDS = 10.0

NOT_THERE = "There is nothing here."
BAD_CALL = "The page sent something that the platform does not understand. Reload it and try again."
TOO_LARGE = "The page sent more than the platform takes. Reload it and try again."
TOO_MANY = "Too much is going on at once. Close some pages of the platform, wait a moment and reload this one."


class Refusal(Exception):
    """Raised when a request is not passed on; holds the answer's status and message."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class GradioFilter:
    """ASGI application in front of Gradio's; `files` are the paths of Gradio's own scripts, fonts and styles."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        sessions: BrowserSessions,
        events: DeclaredEvents,
        queue: GradioQueue,
        pages: frozenset[str],
        files: frozenset[str],
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._events = events
        self._queue = queue
        self._reading = pages | files | {THEME}
        self._open = OpenPages(queue.forget)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            await self._passed(request, send)
        except Refusal as refusal:
            await _answer(refusal.status, refusal.words)(scope, receive, send)
        except ClientDisconnect:
            return

    async def _passed(self, request: Request, send: Send) -> None:
        path, method = request.scope["path"], request.method
        if not _is_plain(request.scope):
            raise Refusal(404, NOT_THERE)
        session = self._sessions.session_of(request)
        if session is None:
            raise Refusal(401, "Your session has ended. Reload the page to sign in again.")
        if method in READING and path in self._reading:
            await self._app(_scope(request, accepts=True), request.receive, send)
        elif method == "POST" and path == JOIN:
            await self._join(request, session, send)
        elif method == "GET" and path == DATA:
            await self._data(request, session, send)
        else:
            raise Refusal(404, NOT_THERE)

    async def _join(self, request: Request, session: Session, send: Send) -> None:
        try:
            call = self._events.understood(await _body(request))
            name = self._open.opened(session, call.page_key)
        except BadCall as error:
            raise Refusal(422, BAD_CALL) from error
        except TooManyPages as error:
            raise Refusal(429, TOO_MANY) from error
        if self._queue.waiting_of(session.user_id) >= MOST_EVENTS:
            raise Refusal(429, TOO_MANY)
        body = call.as_json(name)
        query = [(key, value) for key, value in _query(request).items() if key in QUERY and is_text(value)]
        answer = await answered(self._app, _scope(request, query=query, body=body), body)
        if answer is None:
            raise Refusal(503, TOO_MANY)
        await Response(answer, media_type="application/json")(request.scope, request.receive, send)

    async def _data(self, request: Request, session: Session, send: Send) -> None:
        key = _query(request).get("session_hash", "")
        if not PAGE_KEY.fullmatch(key):
            raise Refusal(404, NOT_THERE)
        with self._open.streaming(session, key) as name:
            if name is None or not self._queue.has(name):
                raise Refusal(404, NOT_THERE)
            scope = _scope(request, query=[("session_hash", name)])
            await self._app(scope, request.receive, without_words(send))


def _is_plain(scope: Scope) -> bool:
    """Whether the path was sent without percent-encoding, so that no two parsers can read it differently."""
    path: str = scope["path"]
    return path.isascii() and scope.get("raw_path", path.encode()) == path.encode() and not scope.get("root_path")


def _query(request: Request) -> Mapping[str, str]:
    text = request.scope.get("query_string", b"")
    try:
        return dict(parse_qsl(text.decode("ascii"), max_num_fields=20, errors="strict"))
    except ValueError:
        return {}


def _scope(
    request: Request, *, query: list[tuple[str, str]] | None = None, body: bytes | None = None, accepts: bool = False
) -> Scope:
    """The request's scope, rebuilt; with `accepts` the answer may be compressed."""
    kept = [(name, value) for name, value in request.scope["headers"] if name in HEADERS or _is_of_proxy(name, value)]
    if accepts:
        kept += [(name, value) for name, value in request.scope["headers"] if name == b"accept-encoding"]
    if body is not None:
        kept += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    return {**request.scope, "query_string": urlencode(query or []).encode(), "headers": kept}


def _is_of_proxy(name: bytes, value: bytes) -> bool:
    return name in PROXY_HEADERS and PROXY_HEADERS[name].fullmatch(value) is not None


async def _body(request: Request) -> bytes:
    """Read the body, bounded in size and time. Raises Refusal."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(422, BAD_CALL)
    body = b""
    with anyio.move_on_after(BODY_SECONDS) as clock:
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BODY:
                raise Refusal(413, TOO_LARGE)
    if clock.cancelled_caught:
        raise Refusal(408, BAD_CALL)
    return body


def _answer(status: int, words: str) -> Response:
    return JSONResponse({"detail": words}, status)
