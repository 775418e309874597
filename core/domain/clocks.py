"""How far a machine's clock is from the ledger's, and when an admin is told."""

from __future__ import annotations

MOST_SKEW_SECONDS = 5.0
"""Beyond it an admin is told. Jobs do not hang on it: leases, order and limits go by the ledger's clock alone."""
MOST_RETENTION_SKEW_SECONDS = 3600.0
"""Beyond it nothing is removed for its age: files have their times from the machine's clock."""


def told(skew: float) -> str | None:
    """In words, where it matters: seconds by which the machine's clock is ahead of the ledger's."""
    if abs(skew) <= MOST_SKEW_SECONDS:
        return None
    return f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the ledger's"
