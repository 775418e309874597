"""Hashing and checking passwords, slowly on purpose."""

from __future__ import annotations

from typing import Protocol


class PasswordsPort(Protocol):
    """Both methods take a tenth of a second and much memory, and raise LimitReached when too many wait for them."""

    def hashed(self, password: str) -> str:
        """What to keep of a password."""
        ...

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether this is the password; without a hash it takes as long and is not."""
        ...
