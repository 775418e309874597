"""A session: what a login gives. The token is known to whoever logged in; we keep only its hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime

TOKEN_PREFIX = "lbs_"  # noqa: S105 tells session tokens from others, to us and to scanners for leaked secrets
MOST_SESSIONS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Who logged in, under which stamp of their account, and until when it counts."""

    user_id: str
    stamp: str = field(repr=False)
    expires_at: datetime


def new_token() -> str:
    """A session's token: 256 random bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is kept of a token. Its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
