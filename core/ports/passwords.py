"""Hashing and checking passwords, slowly on purpose."""

from __future__ import annotations

from typing import Protocol


class PasswordsPort(Protocol):
    """Both methods take a tenth of a second and much memory; they raise LimitReached if too many calls wait."""

    def hashed(self, password: str) -> str:
        """The hash to store for a password."""
        ...

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether this is the password. Without a hash it takes as long and returns False."""
        ...
