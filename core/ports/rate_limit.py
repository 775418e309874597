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

    def take_upload(self, user_id: str, upload_id: str, *, per_hour: int, refused_per_hour: int) -> None:
        """Count an upload among the hour's and, until its end is known, among the refused ones: one atomic step.

        Raises LimitReached when either is used up (then it is counted in neither), Unavailable.
        """
        ...

    def upload_stored(self, user_id: str, upload_id: str) -> None:
        """An upload became a submission: it no longer counts as refused. Raises Unavailable."""
        ...

    def upload_refused(self, user_id: str, upload_id: str) -> None:
        """An upload stored nothing: it counts as refused alone. Raises Unavailable."""
        ...

    def give_back_upload(self, user_id: str, upload_id: str) -> None:
        """Remove an upload that the platform failed from both counts. Raises Unavailable."""
        ...
