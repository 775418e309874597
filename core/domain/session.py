"""A session: the result of a login. Only the hash of its token is stored."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime

TOKEN_PREFIX = "lbs_"  # noqa: S105 tells session tokens from others, to us and to scanners for leaked secrets
MOST_SESSIONS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A user's login: under which stamp of the account, and until when it is valid."""

    user_id: str
    stamp: str = field(repr=False)
    expires_at: datetime


def new_token() -> str:
    """A new session token: 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """The stored form of a token. Its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
