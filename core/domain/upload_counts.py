"""The errors for users over an upload limit; every counter uses the same text."""

from __future__ import annotations

from core.domain.errors import LimitReached


def uploads_used_up(per_hour: int, renews_in_seconds: int) -> LimitReached:
    """The error when `per_hour` submissions were stored in the last hour."""
    minutes = max(1, round(renews_in_seconds / 60))
    return LimitReached(
        f"You have uploaded {per_hour} submissions in the last hour, which is the limit. "
        f"The next place is free in {minutes} min.",
        retry_after_seconds=max(1, renews_in_seconds),
    )


def refusals_used_up(per_hour: int, renews_in_seconds: int) -> LimitReached:
    """The error when `per_hour` uploads were refused or broke off in the last hour, those in progress included."""
    minutes = max(1, round(renews_in_seconds / 60))
    return LimitReached(
        f"{per_hour} of your uploads in the last hour were refused or broke off, which is the limit. "
        f"Check what is sent before you try again; the next upload is taken in {minutes} min.",
        retry_after_seconds=max(1, renews_in_seconds),
    )
