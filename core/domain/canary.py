"""The result of a canary: one row per wall, and whether jobs may run behind the walls (BOX-12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

MOST_NAMED = 3
LONGEST = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryRow:
    """One wall: what was expected and what was found."""

    check: str
    resource_class: str
    expected: str
    found: str
    ok: bool

    def __str__(self) -> str:
        return f"{self.resource_class}: {self.check}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryReport:
    """One probe of all resource classes."""

    at: datetime
    seconds: float
    rows: tuple[CanaryRow, ...]

    @property
    def red(self) -> tuple[CanaryRow, ...]:
        return tuple(row for row in self.rows if not row.ok)

    @property
    def ok(self) -> bool:
        """True if there are rows and none is red."""
        return bool(self.rows) and not self.red

    @property
    def refusal(self) -> str | None:
        """Why no job may run here, for admins; None if all walls hold."""
        if self.ok:
            return None
        named = "; ".join(str(row)[:LONGEST] for row in self.red[:MOST_NAMED]) or "the probe found nothing out"
        more = len(self.red) - MOST_NAMED
        return f"the sandbox does not hold what it promises: {named}{f'; and {more} more' if more > 0 else ''}"

    def as_mapping(self) -> Mapping[str, Any]:
        """For a report; red rows first."""
        rows = [asdict(row) for row in sorted(self.rows, key=lambda row: row.ok)]
        return {"at": self.at.isoformat(), "seconds": round(self.seconds, 2), "ok": self.ok, "rows": rows}
