"""The refusals of a user who has uploaded too often, or too often in vain; one text for every counter."""

from __future__ import annotations

from core.domain.errors import LimitReached


def uploads_used_up(per_hour: int, renews_in_seconds: int) -> LimitReached:
    """The refusal when so many submissions were stored in the last hour."""
    minutes = max(1, round(renews_in_seconds / 60))
    return LimitReached(
        f"You have uploaded {per_hour} submissions in the last hour, which is the limit. "
        f"The next place is free in {minutes} min.",
        retry_after_seconds=max(1, renews_in_seconds),
    )


def refusals_used_up(per_hour: int, renews_in_seconds: int) -> LimitReached:
    """The refusal when so many uploads were refused or broke off in the last hour, those under way counted."""
    minutes = max(1, round(renews_in_seconds / 60))
    return LimitReached(
        f"{per_hour} of your uploads in the last hour were refused or broke off, which is the limit. "
        f"Check what is sent before you try again; the next upload is taken in {minutes} min.",
        retry_after_seconds=max(1, renews_in_seconds),
    )
