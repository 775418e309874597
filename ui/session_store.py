"""Login sessions. Tokens stay here, in memory; the browser holds only a signed, random session id."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from itsdangerous import BadSignature, Signer
from starlette.responses import Response

COOKIE = "leadersboard_session"
SECURE_COOKIE = f"__Host-{COOKIE}"  # browsers accept this prefix only from the host itself, over https, with path /
MOST_PER_USER = 50  # as many as the API keeps; a user who signs in repeatedly drops only their own


@dataclass(frozen=True, kw_only=True)
class Session:
    """One signed-in user; lives until it expires, the user signs out, or the process ends.

    `is_revocable`: the token was made for this session and is revoked with it. `key` is never sent: names made with it
    belong to this session alone.
    """

    user_id: str
    is_admin: bool
    token: str = field(repr=False)
    expires_at: float
    is_revocable: bool = False
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)


class SessionStore:
    """At most `most` sessions and `MOST_PER_USER` of one user, the oldest dropped first; lives as long as the process.

    Thread-safe.
    """

    def __init__(
        self,
        *,
        lifetime: float,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        on_end: Callable[[Session], None] = lambda _session: None,
    ) -> None:
        """`on_end` is called with each session that is closed, or dropped before it expires."""
        self.lifetime = lifetime
        self.on_end = on_end
        self._most = most
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, *, user_id: str, is_admin: bool, token: str, lasts: float | None = None) -> str:
        """Begin a session. Returns its new, unguessable id. `lasts`: seconds until a token made for it expires."""
        session_id = secrets.token_urlsafe(32)
        session = Session(
            user_id=user_id,
            is_admin=is_admin,
            token=token,
            expires_at=self._clock() + min(self.lifetime, self.lifetime if lasts is None else lasts),
            is_revocable=lasts is not None,
        )
        with self._lock:
            dropped = [self._sessions.pop(surplus) for surplus in self._surplus(user_id)]
            self._sessions[session_id] = session
        for surplus in dropped:
            self.on_end(surplus)
        return session_id

    def _surplus(self, user_id: str) -> list[str]:
        """The oldest sessions to drop so that one more fits: of this user, or of all. Call with the lock held."""
        own = [session_id for session_id, session in self._sessions.items() if session.user_id == user_id]
        if len(own) >= MOST_PER_USER:
            return own[: len(own) - MOST_PER_USER + 1]
        return list(self._sessions)[: max(0, len(self._sessions) - self._most + 1)]

    def get(self, session_id: str) -> Session | None:
        """The session of that id, unless it has ended."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None and session.expires_at <= self._clock():
                del self._sessions[session_id]
                return None
            return session

    def close(self, session_id: str) -> None:
        """End a session and forget its token."""
        with self._lock:
            session = self._sessions.pop(session_id, None)
        if session is not None:
            self.on_end(session)

    def close_all(self) -> None:
        """End every session, when the process stops."""
        with self._lock:
            ended = list(self._sessions.values())
            self._sessions.clear()
        for session in ended:
            self.on_end(session)


class SessionCookie:
    """Signs session ids, so that a forged one is refused without a lookup.

    `secure`: the browser uses https. Then the cookie is `Secure` and named `__Host-…`, and no other name is accepted:
    neither another host of the same domain nor an attacker on the network can set it.
    """

    def __init__(self, secret: str) -> None:
        self._signer = Signer(secret, salt="leadersboard.ui.session")

    def seal(self, session_id: str) -> str:
        """The signed cookie value for a session id."""
        return self._signer.sign(session_id).decode("ascii")

    def unseal(self, cookies: Mapping[str, str], *, secure: bool) -> str | None:
        """The session id in a request's cookies; None without a valid signature."""
        value = cookies.get(cookie_name(secure=secure), "")
        try:
            return self._signer.unsign(value.encode("utf-8", "replace")).decode("ascii")
        except (BadSignature, UnicodeDecodeError):
            return None


def cookie_name(*, secure: bool) -> str:
    """The session cookie's name over https or over http."""
    return SECURE_COOKIE if secure else COOKIE


def set_cookie(answer: Response, value: str, *, secure: bool, lifetime: float) -> None:
    """Have the browser keep a sealed session id for `lifetime` seconds."""
    answer.set_cookie(
        cookie_name(secure=secure), value, max_age=int(lifetime), path="/", httponly=True, samesite="lax", secure=secure
    )


def delete_cookie(answer: Response, *, secure: bool) -> None:
    """Have the browser forget its session."""
    answer.delete_cookie(cookie_name(secure=secure), path="/", httponly=True, samesite="lax", secure=secure)
