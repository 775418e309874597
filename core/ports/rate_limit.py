"""How many jobs a user may still post, and how often upload, in the current hour."""

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

    def take_upload(self, user_id: str, upload_id: str, *, per_hour: int) -> None:
        """Count an upload, in one atomic step. Raises LimitReached (then it is not counted), Unavailable."""
        ...

    def give_back_upload(self, user_id: str, upload_id: str) -> None:
        """Take one upload out of the count. Raises Unavailable."""
        ...
