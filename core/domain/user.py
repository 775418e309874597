"""A user: how they authenticated, and what their role allows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

USER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
USER_NAME_RULE = "is 1 to 64 letters, digits or . _ @ -, beginning with a letter or digit"


class Role(StrEnum):
    """What a user may do."""

    USER = "user"
    """May submit, watch and cancel their own jobs and see boards."""
    ADMIN = "admin"
    """May do the same for all users, and manage accounts."""


class AuthMethod(StrEnum):
    """How a user authenticated."""

    API_TOKEN = "api_token"  # noqa: S105 a kind of token, not one
    """A token from the site's settings."""
    PASSWORD = "password"  # noqa: S105 a way to sign in, not a password
    """A session opened with user name and password."""
    OIDC = "oidc"
    """A token of the site's OpenID Connect issuer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """An authenticated user."""

    user_id: str
    role: Role = Role.USER
    method: AuthMethod = AuthMethod.API_TOKEN

    def may_see(self, owner_id: str) -> bool:
        return self.role is Role.ADMIN or self.user_id == owner_id
