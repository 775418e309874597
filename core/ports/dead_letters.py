"""Storage of failed steps of the platform, until an admin has handled them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.dead_letter import DeadLetter, Failure


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterPage:
    """Some letters, latest first, and the total number."""

    letters: Sequence[DeadLetter]
    total: int


class DeadLettersPort(Protocol):
    """All methods raise Unavailable when Redis does not answer."""

    def keep(self, failure: Failure) -> DeadLetter:
        """Store a failure, or count it once more; the newest 1,000 are kept, for 90 days."""
        ...

    def get(self, letter_id: str) -> DeadLetter:
        """Raises NotFound."""
        ...

    def page(self, *, limit: int = 50, offset: int = 0) -> LetterPage:
        """Letters, latest first."""
        ...

    def drop(self, letter_id: str) -> bool:
        """Remove a letter. Returns False if it was already gone."""
        ...
