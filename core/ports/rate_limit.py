"""How many jobs a user may still post in the current hour."""

from __future__ import annotations

from typing import Protocol

from core.domain.limits import Allowance, UserLimits


class RateLimitPort(Protocol):
    """Counters of the last hour per user. Counting itself is part of `JobStatusPort.admit`, in one atomic step."""

    def allowance(self, user_id: str, limits: UserLimits) -> Allowance:
        """Raises Unavailable."""
        ...

    def refund(self, user_id: str, job_id: str) -> None:
        """Take one job out of the count, e.g. after a failure of the platform. Raises Unavailable."""
        ...
