"""Serves MLflow's pages at their own port, after sign-in: relays each call to the gateway with the user's token."""

from urllib.parse import quote, urlencode

import httpx2
from fastapi import APIRouter, FastAPI, Request
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.browser_sessions import BrowserSessions
from ui.login import login_routes
from ui.markup import Templates
from ui.relay import is_page, passed_on_answer
from ui.session_guard import SessionGuard

PREFIX = "/mlflow/"
SECONDS = 20.0
"""Longest wait for the gateway's answer to begin: longer than the gateway waits for MLflow."""
AT_ONCE = 100
BODY_BYTES = 64 * 1024
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
"""For answers of this process; the gateway's answers have their own."""
WHAT = "MLflow cannot be shown"
AWAY = "The platform does not answer at the moment, so MLflow's pages cannot be shown. Try again in a minute."
TOO_LONG = "This request is too long."


def open_pages(api_url: str) -> httpx2.AsyncClient:
    """An HTTP client for the gateway; the caller closes it."""
    limits = httpx2.Limits(max_connections=AT_ONCE)
    timeout = httpx2.Timeout(SECONDS, connect=2.0)
    return httpx2.AsyncClient(base_url=api_url, timeout=timeout, limits=limits, trust_env=False)


class ByPort:
    """ASGI middleware that gives requests at one port to another application."""

    def __init__(self, app: ASGIApp, *, port: int, other: ASGIApp) -> None:
        self._app = app
        self._port = port
        self._other = other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application of the port at which it arrived, regardless of proxy headers."""
        is_other = scope["type"] == "http" and (scope.get("server") or ("", 0))[1] == self._port
        await (self._other if is_other else self._app)(scope, receive, send)


def mlflow_app(sessions: BrowserSessions, markup: Templates, relay: httpx2.AsyncClient, *, lifetime: float) -> FastAPI:
    """The application for MLflow's port: sign-in and sign-out; everything else is relayed to the gateway."""
    app = FastAPI(title="MLflow", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.get("/health/live")(lambda: {"status": "ok"})
    app.include_router(login_routes(sessions, markup, lifetime=lifetime))
    app.mount("/ui-assets", StaticFiles(packages=[("ui", "assets")]))
    app.include_router(_relay_routes(sessions, markup, relay))
    app.add_middleware(SessionGuard, sessions=sessions, policy=POLICY)
    return app


def _relay_routes(sessions: BrowserSessions, markup: Templates, relay: httpx2.AsyncClient) -> APIRouter:
    router = APIRouter()

    @router.api_route("/{path:path}", methods=METHODS)
    async def passed_on(request: Request, path: str) -> Response:
        session = sessions.session_of(request)
        if session is None or not is_plain(path):
            return JSONResponse({"detail": "There is no such page."}, 404 if session else 401)
        body = await _body(request)
        if body is None:
            return JSONResponse({"detail": TOO_LONG}, 413)
        try:
            asked = _call(relay, request, path, token=session.token, body=body)
            answer = await relay.send(asked, stream=True)
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return _away(markup, request)
        return await passed_on_answer(sessions, request, answer, away=lambda: _away(markup, request))

    return router


def is_plain(path: str) -> bool:
    """Whether a decoded path cannot lead out of `/mlflow/`: no backslash, no empty, `.` or `..` segment."""
    return path == "" or ("\\" not in path and not any(part in {"", ".", ".."} for part in path.split("/")))


def _call(relay: httpx2.AsyncClient, request: Request, path: str, *, token: str, body: bytes) -> httpx2.Request:
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    if body:
        headers["Content-Type"] = "application/json"
    address = PREFIX + quote(path)
    query = urlencode(request.query_params.multi_items())
    if query:
        address += f"?{query}"
    return relay.build_request(request.method, address, content=body or None, headers=headers)


async def _body(request: Request) -> bytes | None:
    """The body of a search; None when it is too long. Other methods' bodies are not read, since they are refused."""
    body = b""
    if request.method == "POST":
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_BYTES:
                return None
    return body


def _away(markup: Templates, request: Request) -> Response:
    headers = {"Retry-After": "30", "Cache-Control": "no-store"}
    if is_page(request):
        return HTMLResponse(markup.fill("away", what=WHAT, words=AWAY), 503, headers)
    return JSONResponse({"error_code": "TEMPORARILY_UNAVAILABLE", "message": AWAY}, 503, headers)
