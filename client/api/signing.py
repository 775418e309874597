"""Returns the user of a token, signs in with user name and password, and signs out."""

from datetime import datetime

import httpx2
from pydantic import Field

from client.api.exchange import Exchange, open_http
from client.api.models import Answer

LOGOUT_SECONDS = 5.0  # leaving must not take long


class Me(Answer):
    """The user to whom the token belongs."""

    user_id: str
    role: str = "user"

    @property
    def is_admin(self) -> bool:
        """Whether this user may see all users' jobs."""
        return self.role == "admin"


class Login(Me):
    """A token, its user and its expiry; the token never shows in a repr."""

    token: str = Field(repr=False)
    expires_at: datetime


def log_in(http: httpx2.Client, user: str, password: str, *, address: str | None = None) -> Login:
    """Log in by user name and password; `address`: the client for which a server asks. Raises `LeadersboardError`."""
    headers = {"X-Forwarded-For": address} if address else {}
    body = {"username": user, "password": password}
    return Exchange(http, None).ask(Login, "POST", "/auth/login", json=body, headers=headers)


def log_out(http: httpx2.Client, token: str) -> None:
    """Invalidate a token from `log_in`. Raises `LeadersboardError`, `NotNow` for other tokens."""
    Exchange(http, token).send("POST", "/auth/logout", timeout=LOGOUT_SECONDS)


def logged_in(url: str, user: str, password: str) -> Login:
    """`log_in` over a connection of its own."""
    with open_http(url) as http:
        return log_in(http, user, password)


def logged_out(url: str, token: str) -> None:
    """`log_out` over a connection of its own."""
    with open_http(url) as http:
        log_out(http, token)
