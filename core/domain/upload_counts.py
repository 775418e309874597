"""What a user hears who has uploaded too often; one text for every counter."""

from __future__ import annotations

from core.domain.errors import LimitReached


def uploads_used_up(per_hour: int, renews_in_seconds: int) -> LimitReached:
    """What a user hears who has uploaded too often."""
    minutes = max(1, round(renews_in_seconds / 60))
    return LimitReached(
        f"You have uploaded {per_hour} submissions in the last hour, which is the limit. "
        f"The next place is free in {minutes} min.",
        retry_after_seconds=max(1, renews_in_seconds),
    )
