"""Headers with the rest of a user's hourly limit, for accepted and refused jobs alike (JOB-4)."""

from __future__ import annotations

from core.domain.limits import Allowance

LIMIT, REMAINING, RESET = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"


def rate_headers(allowance: Allowance) -> dict[str, str]:
    """The limit in jobs an hour, how many are left, and the seconds until one more is free (0: none is used)."""
    return {
        LIMIT: str(allowance.limit),
        REMAINING: str(allowance.remaining),
        RESET: str(allowance.renews_in_seconds),
    }


DOCUMENTED = {
    LIMIT: {"description": "Jobs a user may post in an hour.", "schema": {"type": "integer"}},
    REMAINING: {"description": "How many of them are left.", "schema": {"type": "integer"}},
    RESET: {"description": "Seconds until one more comes back; 0 when none is used.", "schema": {"type": "integer"}},
}
"""The same headers, described for OpenAPI."""
