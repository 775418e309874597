"""Routes for signing in, with user name and password or an access token, and out; plain HTML without scripts."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from client.api.errors import Invalid, LeadersboardError, NotAllowed, NotSignedIn, TooMany
from ui.browser_sessions import BrowserSessions, is_secure
from ui.markup import Templates
from ui.session_store import delete_cookie, set_cookie

# No scripts and nothing from other origins on the page where a token is typed.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
WRONG = "This access token is not valid. Check that all of it was copied, or ask an administrator for a new one."
WRONG_PASSWORD = "User name or password is wrong."  # noqa: S105 words for a page
TOO_MANY = "Too many attempts to sign in. Try again in {} seconds."
AWAY = "The platform does not answer at the moment, so nobody could be signed in. Try again in a minute."


def login_routes(sessions: BrowserSessions, markup: Templates, *, lifetime: float) -> APIRouter:
    """The routes `/login` and `/logout`."""
    router = APIRouter()

    @router.get("/login")
    def page(request: Request, next: str = "/") -> Response:  # noqa: A002, the query parameter's public name
        if sessions.session_of(request):
            return RedirectResponse(safe_target(next), 303)
        return _page(markup, target=next)

    @router.post("/login")
    def sign_in(
        request: Request,
        user: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        token: Annotated[str, Form()] = "",
        target: Annotated[str, Form()] = "/",
    ) -> Response:
        try:
            value = _signed_in(sessions, request, user=user.strip(), password=password, token=token.strip())
        except LeadersboardError as error:
            words, status = _refusal(error, wrong=WRONG_PASSWORD if user else WRONG)
            return _page(markup, target=target, failure=words, status=status, user=user, with_token=not user)
        sessions.sign_out(request)
        answer = RedirectResponse(safe_target(target), 303)
        set_cookie(answer, value, secure=is_secure(request), lifetime=lifetime)
        return answer

    @router.post("/logout")
    def sign_out(request: Request) -> Response:
        sessions.sign_out(request)
        answer = RedirectResponse("/login", 303)
        delete_cookie(answer, secure=is_secure(request))
        return answer

    return router


def safe_target(wanted: str) -> str:
    """Where to go after signing in: a path of this site, never another site."""
    parts = urlsplit(wanted)
    is_local = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if is_local and not parts.scheme and not parts.netloc else "/"


def _signed_in(sessions: BrowserSessions, request: Request, *, user: str, password: str, token: str) -> str:
    """The cookie of a new session: by password if there is a user name, else by token. Raises the client's errors."""
    if not user:
        return sessions.sign_in(token)
    address = request.client.host if request.client else None
    return sessions.sign_in_with_password(user, password, address=address)


def _refusal(error: LeadersboardError, *, wrong: str) -> tuple[str, int]:
    """The message about a failed sign-in, and the status of the page that shows it."""
    if isinstance(error, TooMany):
        return TOO_MANY.format(round(error.problem.retry_after or 60)), 429
    return (wrong, 401) if isinstance(error, NotSignedIn | NotAllowed | Invalid) else (AWAY, 503)


def _page(
    markup: Templates, *, target: str, failure: str = "", status: int = 200, user: str = "", with_token: bool = False
) -> Response:
    html = markup.fill("login", target=safe_target(target), failure=failure, name=user, with_token=with_token)
    return HTMLResponse(html, status, {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})
