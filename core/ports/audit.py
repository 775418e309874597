"""Where the acts of admins are kept; no method changes or removes an entry before its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.audit import AuditAct, AuditAction, AuditEntry, AuditOutcome


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditFilter:
    """Which entries are asked for; None: any."""

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
    """Some entries, newest first, and where the next page begins (None at the end).

    A page may hold fewer entries than asked for, also none, and yet have a next one: a look is bounded.
    """

    entries: Sequence[AuditEntry]
    next_cursor: str | None
    displaced: int
    """How many entries have gone before their time because the trail was full, since it began."""


class AuditPort(Protocol):
    """Entries are kept for so many days as the adapter was opened with, at most MOST_ENTRIES. All raise Unavailable."""

    def begin(self, act: AuditAct) -> str:
        """Keep an act that is about to be done, by the ledger's clock; its entry's id."""
        ...

    def end(self, entry_id: str, outcome: AuditOutcome, status: int | None) -> None:
        """How it ended. The first word counts; nothing happens for an entry that is gone."""
        ...

    def read(self, act: AuditAct) -> bool:
        """Record that access was given, unless the trail has the same act from less than an hour ago.

        Answers whether an entry was made. Acts are the same but for their request.
        """
        ...

    def page(self, wanted: AuditFilter, *, limit: int = 50, cursor: str | None = None) -> AuditPage:
        """Newest first, none that is older than it is kept. Raises InvalidInput for a cursor that is none."""
        ...

    def trim(self) -> int:
        """Remove what is older than it is kept; how many entries that were."""
        ...
