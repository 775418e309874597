"""Who asks: a user and what their role allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a user may do."""

    USER = "user"
    """Submit, watch and cancel one's own; see boards."""
    ADMIN = "admin"
    """The same for everybody's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """An authenticated user."""

    user_id: str
    role: Role = Role.USER

    def may_see(self, owner_id: str) -> bool:
        return self.role is Role.ADMIN or self.user_id == owner_id
