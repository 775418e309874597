"""Signing in with an access token, and out again; plain HTML, no script."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from client.errors import LeadersboardError, NotAllowed, NotSignedIn
from ui.desk import Desk
from ui.markup import Templates
from ui.sessions import COOKIE

# No script and nothing from elsewhere on the page where a token is typed.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
WRONG = "This access token is not valid. Check that all of it was copied, or ask an administrator for a new one."
AWAY = "The platform does not answer at the moment, so the token could not be checked. Try again in a minute."


def login_routes(desk: Desk, markup: Templates, *, lifetime: float) -> APIRouter:
    """The routes `/login` and `/logout`."""
    router = APIRouter()

    @router.get("/login")
    def page(request: Request, next: str = "/") -> Response:  # noqa: A002, the query's public name
        if desk.session_of(request):
            return RedirectResponse(safe_target(next), 303)
        return _page(markup, target=next)

    @router.post("/login")
    def sign_in(request: Request, token: Annotated[str, Form()] = "", target: Annotated[str, Form()] = "/") -> Response:
        try:
            value = desk.sign_in(token.strip())
        except (NotSignedIn, NotAllowed):
            return _page(markup, target=target, failure=WRONG, status=401)
        except LeadersboardError:
            return _page(markup, target=target, failure=AWAY, status=503)
        desk.sign_out(request)
        answer = RedirectResponse(safe_target(target), 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, value, max_age=int(lifetime), httponly=True, samesite="lax", secure=secure)
        return answer

    @router.post("/logout")
    def sign_out(request: Request) -> Response:
        desk.sign_out(request)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return answer

    return router


def safe_target(wanted: str) -> str:
    """Where to go after signing in: a path of this site, never another site."""
    parts = urlsplit(wanted)
    is_local = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if is_local and not parts.scheme and not parts.netloc else "/"


def _page(markup: Templates, *, target: str, failure: str = "", status: int = 200) -> Response:
    html = markup.fill("login", target=safe_target(target), failure=failure)
    return HTMLResponse(html, status, {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})
