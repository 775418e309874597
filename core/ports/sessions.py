"""Who is logged in, by the hash of their token."""

from __future__ import annotations

from typing import Protocol

from core.domain.session import Session


class SessionsPort(Protocol):
    """Sessions that end by themselves at their time; all methods raise Unavailable."""

    def open(self, token_hash: str, session: Session, *, most: int) -> None:
        """Keep a session until it expires. A user has at most `most`: beyond that those that end first go."""
        ...

    def find(self, token_hash: str) -> Session | None:
        """The session of a token, while it lasts."""
        ...

    def close(self, token_hash: str) -> None:
        """End a session; one that has ended stays so."""
        ...

    def close_all(self, user_id: str) -> None:
        """End every session of a user."""
        ...
