"""Signing in with user name and password, and out again: a token comes, and goes."""

from datetime import datetime

import httpx2
from pydantic import Field

from client.exchange import Exchange, open_http
from client.models import Answer

LOGOUT_SECONDS = 5.0  # nobody should wait long in order to leave


class Login(Answer):
    """A token, whose it is and until when it counts; the token never shows in a repr."""

    token: str = Field(repr=False)
    user_id: str
    role: str = "user"
    expires_at: datetime

    @property
    def is_admin(self) -> bool:
        """Whether this user may see everybody's jobs."""
        return self.role == "admin"


def log_in(http: httpx2.Client, user: str, password: str, *, address: str | None = None) -> Login:
    """A token for user name and password; `address` is whom a server asks for. Raises `LeadersboardError`."""
    headers = {"X-Forwarded-For": address} if address else {}
    body = {"username": user, "password": password}
    return Exchange(http, None).ask(Login, "POST", "/auth/login", json=body, headers=headers)


def log_out(http: httpx2.Client, token: str) -> None:
    """Make a token from `log_in` worthless. Raises `LeadersboardError`, `NotNow` for other tokens."""
    Exchange(http, token).tell("POST", "/auth/logout", timeout=LOGOUT_SECONDS)


def logged_in(url: str, user: str, password: str) -> Login:
    """`log_in` over a connection of its own."""
    with open_http(url) as http:
        return log_in(http, user, password)


def logged_out(url: str, token: str) -> None:
    """`log_out` over a connection of its own."""
    with open_http(url) as http:
        log_out(http, token)
