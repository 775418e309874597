"""Who is signed in: tokens stay here, in memory; the browser holds only a signed, random session id."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from itsdangerous import BadSignature, Signer

COOKIE = "leadersboard_session"


@dataclass(frozen=True, kw_only=True)
class Session:
    """One signed-in user; lives until it expires, the user signs out, or the process ends."""

    user_id: str
    is_admin: bool
    token: str = field(repr=False)
    expires_at: float


class SessionStore:
    """At most `most` sessions, the oldest dropped first; lives as long as the process. Safe between threads."""

    def __init__(self, *, lifetime: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.lifetime = lifetime
        self._most = most
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, *, user_id: str, is_admin: bool, token: str) -> str:
        """Begin a session; its id is new and cannot be guessed."""
        session_id = secrets.token_urlsafe(32)
        expires_at = self._clock() + self.lifetime
        with self._lock:
            while len(self._sessions) >= self._most:
                self._sessions.popitem(last=False)
            self._sessions[session_id] = Session(user_id=user_id, is_admin=is_admin, token=token, expires_at=expires_at)
        return session_id

    def get(self, session_id: str) -> Session | None:
        """The session of that id, unless it has ended."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None and session.expires_at <= self._clock():
                del self._sessions[session_id]
                return None
            return session

    def close(self, session_id: str) -> None:
        """End a session; the token is forgotten."""
        with self._lock:
            self._sessions.pop(session_id, None)


class SessionCookie:
    """Signs session ids, so that a made-up one is refused before anything is looked up."""

    def __init__(self, secret: str) -> None:
        self._signer = Signer(secret, salt="leadersboard.ui.session")

    def seal(self, session_id: str) -> str:
        """The cookie's value for a session id."""
        return self._signer.sign(session_id).decode("ascii")

    def unseal(self, cookies: Mapping[str, str]) -> str | None:
        """The session id in a request's cookies, if it is one of ours."""
        try:
            return self._signer.unsign(cookies.get(COOKIE, "").encode("utf-8", "replace")).decode("ascii")
        except (BadSignature, UnicodeDecodeError):
            return None
