"""Where failed steps of the platform are kept until an admin has looked at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.dead_letter import DeadLetter, Failure


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterPage:
    """Some letters, the latest first, and how many there are in all."""

    letters: Sequence[DeadLetter]
    total: int


class DeadLettersPort(Protocol):
    """All methods raise Unavailable when Redis does not answer."""

    def keep(self, failure: Failure) -> DeadLetter:
        """Keep it, or count it once more; the newest 1,000 are kept, for 90 days."""
        ...

    def get(self, letter_id: str) -> DeadLetter:
        """Raises NotFound."""
        ...

    def page(self, *, limit: int = 50, offset: int = 0) -> LetterPage:
        """The latest first."""
        ...

    def drop(self, letter_id: str) -> bool:
        """False when it was gone already."""
        ...
