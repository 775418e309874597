"""Maps a browser's request to its session, and to the API as that session's user."""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

import httpx2

from client.api.client import LeadersboardClient
from client.api.errors import LeadersboardError, NotSignedIn, Problem
from client.api.signing import log_in, log_out
from ui.session_store import Session, SessionCookie, SessionStore

CLOSING_SECONDS = 5.0  # for revoking tokens of open sessions while the process stops


class HasScheme(Protocol):
    """The address that a browser asked for, as a trusted proxy reports it."""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""


class HasCookies(Protocol):
    """A request of FastAPI or of Gradio."""

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies that the browser sent."""

    @property
    def url(self) -> HasScheme:
        """The address that the browser asked for."""


class BrowserSessions:
    """Finds the session of a request and calls the API with its token; lives as long as the application."""

    def __init__(self, *, http: httpx2.Client, store: SessionStore, cookie: SessionCookie) -> None:
        self._http = http
        self._store = store
        self._cookie = cookie
        self._until = float("inf")
        store.on_end = self._revoke

    def session_of(self, request: HasCookies) -> Session | None:
        """The session of this request, or None."""
        session_id = self._id_of(request)
        return self._store.get(session_id) if session_id else None

    def signed_in(self, request: HasCookies) -> Session:
        """The session of this request. Raises NotSignedIn when there is none."""
        session = self.session_of(request)
        if session is None:
            raise NotSignedIn(Problem(status=401, code="session_ended", detail="Your session has ended."))
        return session

    def client_of(self, request: HasCookies) -> LeadersboardClient:
        """A client of the API with the session's token. Raises NotSignedIn when there is no session."""
        return LeadersboardClient(self._http, self.signed_in(request).token)

    def sign_in(self, token: str) -> str:
        """Check a token with the API and begin a session. Returns the cookie's value. Raises the client's errors."""
        me = LeadersboardClient(self._http, token).me()
        return self._cookie.seal(self._store.open(user_id=me.user_id, is_admin=me.is_admin, token=token))

    def sign_in_with_password(self, user: str, password: str, *, address: str | None) -> str:
        """Log in at the API and begin a session. Returns the cookie's value. Raises the client's errors."""
        login = log_in(self._http, user, password, address=address)
        lasts = (login.expires_at - datetime.now(UTC)).total_seconds()
        session_id = self._store.open(user_id=login.user_id, is_admin=login.is_admin, token=login.token, lasts=lasts)
        return self._cookie.seal(session_id)

    def sign_out(self, request: HasCookies) -> None:
        """End the session of this request, if any."""
        if session_id := self._id_of(request):
            self._store.close(session_id)

    def close(self) -> None:
        """End all sessions and revoke their tokens, within CLOSING_SECONDS; the other tokens expire by themselves."""
        self._until = time.monotonic() + CLOSING_SECONDS
        self._store.close_all()

    def _id_of(self, request: HasCookies) -> str | None:
        return self._cookie.unseal(request.cookies, secure=is_secure(request))

    def _revoke(self, session: Session) -> None:
        if session.is_revocable and time.monotonic() < self._until:
            with suppress(LeadersboardError):
                log_out(self._http, session.token)


def is_secure(request: HasCookies) -> bool:
    """Whether the browser speaks https, to this process or to a trusted proxy in front of it."""
    return request.url.scheme == "https"
