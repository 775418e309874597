"""How results that wait for the tracking server are tried again: for all of them together, not for each."""

from __future__ import annotations

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 30.0
"""Between two tries in vain; each pause is twice the one before, by half more or less at random."""
MOST_AT_ONCE = 8
"""Results that are let go of together while the server takes them: one first, then twice as many with each success."""
TURN_SECONDS = 30.0
"""So long one runner may look whether the server answers; then another one does."""
STUCK_SECONDS = 120.0
"""A result that no runner has taken up, or has not recorded, for so long holds up no other any more."""


def next_pause(pause: float) -> float:
    """After one in vain; 0: the last one was not."""
    return min(LONGEST_SECONDS, 2 * pause) if pause else FIRST_SECONDS
