"""Requires a session for every request and adds security headers to every answer."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.browser_sessions import BrowserSessions

OPEN_PATHS = frozenset({"/login", "/logout", "/health/live", "/favicon.ico"})
OPEN_FOLDER = "/ui-assets/"
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Gradio compiles templates and component scripts in the browser, hence inline and eval. Nothing may be loaded from or
# sent to another origin, so that an injected script cannot send away what it reads.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class SessionGuard:
    """ASGI middleware in front of all routes, including Gradio's own."""

    def __init__(self, app: ASGIApp, sessions: BrowserSessions, policy: str = POLICY) -> None:
        """`policy` is the Content-Security-Policy of answers without their own."""
        self._app = app
        self._sessions = sessions
        self._headers = {**HEADERS, "Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it. WebSockets are closed: the UI has none."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(Request(scope))
        await (answer or self._app)(scope, receive, _with_headers(send, self._headers))

    def _refusal(self, request: Request) -> Response | None:
        if request.method in UNSAFE and not from_our_pages(request):
            return JSONResponse({"detail": "This request comes from another site and was refused."}, 403)
        path = request.url.path
        if path in OPEN_PATHS or path.startswith(OPEN_FOLDER) or self._sessions.session_of(request):
            return None
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"/login?next={quote(wanted(request), safe='')}", 303)
        return JSONResponse({"detail": "Your session has ended. Reload the page to sign in again."}, 401)


def from_our_pages(request: Request) -> bool:
    """Whether a page of this origin made the request, by the browser's headers; True for programs, which send none."""
    if (site := request.headers.get("sec-fetch-site")) is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


def wanted(request: Request) -> str:
    """The request's path and query, to return to after signing in."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _with_headers(send: Send, defaults: Mapping[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in defaults.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
