"""From a browser's request to the API as its user; lives as long as the application."""

from collections.abc import Mapping
from typing import Protocol

import httpx2

from client.api import LeadersboardClient
from client.errors import NotSignedIn, Problem
from ui.sessions import Session, SessionCookie, SessionStore


class HasCookies(Protocol):
    """A request of FastAPI or of Gradio."""

    @property
    def cookies(self) -> Mapping[str, str]:
        """The cookies that the browser sent."""


class Desk:
    """Knows who asks, and calls the API with that user's token."""

    def __init__(self, *, http: httpx2.Client, sessions: SessionStore, cookie: SessionCookie) -> None:
        self._http = http
        self._sessions = sessions
        self._cookie = cookie

    def session_of(self, request: HasCookies) -> Session | None:
        """The session of whoever sent this, if signed in."""
        session_id = self._cookie.unseal(request.cookies)
        return self._sessions.get(session_id) if session_id else None

    def client_of(self, request: HasCookies) -> LeadersboardClient:
        """The API as the user who sent this; raises `NotSignedIn` when there is none."""
        session = self.session_of(request)
        if session is None:
            raise NotSignedIn(Problem(status=401, code="session_ended", detail="Your session has ended."))
        return LeadersboardClient(self._http, session.token)

    def sign_in(self, token: str) -> str:
        """Check a token with the API and begin a session; the cookie's value. Raises the client's errors."""
        me = LeadersboardClient(self._http, token).me()
        return self._cookie.seal(self._sessions.open(user_id=me.user_id, is_admin=me.is_admin, token=token))

    def sign_out(self, request: HasCookies) -> None:
        """End the session of whoever sent this."""
        if session_id := self._cookie.unseal(request.cookies):
            self._sessions.close(session_id)
