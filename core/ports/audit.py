"""The audit trail of admins' acts; no method changes or removes an entry before its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.audit import AuditAct, AuditAction, AuditEntry, AuditOutcome


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """Which entries to return; None means any."""

    actor: str | None = None
    action: AuditAction | None = None
    target: str | None = None

    def takes(self, entry: AuditEntry) -> bool:
        act = entry.act
        return (
            self.actor in {None, act.actor} and self.action in {None, act.action} and self.target in {None, act.target}
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditPage:
    """Some entries, newest first, and the cursor of the next page (None at the end).

    A page may have fewer entries than requested, even none, and still a next page: the search per page is bounded.
    """

    entries: Sequence[AuditEntry]
    next_cursor: str | None
    displaced: int
    """How many entries were removed before their time because the trail was full, since it began."""


class AuditPort(Protocol):
    """Keeps at most MOST_ENTRIES, each for the adapter's number of days. All methods raise Unavailable."""

    def begin(self, act: AuditAct) -> str:
        """Record an act that is about to be done, at the ledger's time. Returns the entry's id."""
        ...

    def end(self, entry_id: str, outcome: AuditOutcome, status: int | None) -> None:
        """Record how an act ended. Only the first outcome counts; nothing happens if the entry is gone."""
        ...

    def read(self, act: AuditAct) -> bool:
        """Record that access was given, unless the trail has the same act from less than an hour ago.

        Returns whether an entry was made. Acts that differ only in their request are the same.
        """
        ...

    def page(self, wanted: AuditFilter, *, limit: int = 50, cursor: str | None = None) -> AuditPage:
        """Newest first, without expired entries. Raises InvalidInput for an invalid cursor."""
        ...

    def trim(self) -> int:
        """Remove expired entries. Returns how many."""
        ...
