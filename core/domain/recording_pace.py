"""The pace at which waiting results are retried at the tracking server: one schedule for all, not one per result."""

from __future__ import annotations

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 30.0
"""Pause between failed tries: each is twice the one before, varied by up to a half at random."""
MOST_AT_ONCE = 8
"""The most results released at once while the server accepts them: one first, then twice as many with each success."""
TURN_SECONDS = 30.0
"""How long one runner may check whether the server answers; after that another runner does."""
STUCK_SECONDS = 120.0
"""A result that was not taken up, or not recorded, for so long no longer delays the others."""


def next_pause(pause: float) -> float:
    """The next pause after a failed try, in seconds; `pause` is the one before, or 0 after a success."""
    return min(LONGEST_SECONDS, 2 * pause) if pause else FIRST_SECONDS
