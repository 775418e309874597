"""Sessions of logged-in users, by the hash of their token."""

from __future__ import annotations

from typing import Protocol

from core.domain.session import Session


class SessionsPort(Protocol):
    """Sessions that expire by themselves; all methods raise Unavailable."""

    def open(self, token_hash: str, session: Session, *, most: int) -> None:
        """Store a session until it expires. A user keeps at most `most` sessions, those that expire last."""
        ...

    def find(self, token_hash: str) -> Session | None:
        """The session of a token, or None if it has ended."""
        ...

    def close(self, token_hash: str) -> None:
        """End a session; nothing happens if it has already ended."""
        ...

    def close_all(self, user_id: str) -> None:
        """End every session of a user."""
        ...
