"""The difference between a machine's clock and the ledger's, and from when it is reported to admins."""

from __future__ import annotations

MOST_SKEW_SECONDS = 5.0
"""Larger differences are reported. Jobs do not depend on it: leases, order and limits use only the ledger's clock."""
MOST_RETENTION_SKEW_SECONDS = 3600.0
"""With a larger difference nothing is removed for its age: file times come from the machine's clock."""


def told(skew: float) -> str | None:
    """A description of the skew, or None if it is too small to matter; positive: the machine is ahead of the ledger."""
    if abs(skew) <= MOST_SKEW_SECONDS:
        return None
    return f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the ledger's"
