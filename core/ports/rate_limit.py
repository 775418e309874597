"""How many jobs and uploads a user has left in the current hour."""

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
        """Count an upload for the hour and, until its outcome is known, as refused: one atomic step.

        Raises LimitReached if either limit is used up (then it is counted in neither), Unavailable.
        """
        ...

    def upload_stored(self, user_id: str, upload_id: str) -> None:
        """An upload became a submission: it no longer counts as refused. Raises Unavailable."""
        ...

    def upload_refused(self, user_id: str, upload_id: str) -> None:
        """An upload stored nothing: it counts only as refused. Raises Unavailable."""
        ...

    def give_back_upload(self, user_id: str, upload_id: str) -> None:
        """Remove an upload from both counts after a failure of the platform. Raises Unavailable."""
        ...
