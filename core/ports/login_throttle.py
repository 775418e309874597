"""Limits the number of login attempts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class LoginThrottlePort(Protocol):
    """Counters that expire with their window; each method is one atomic step and raises Unavailable."""

    def take(self, budgets: Mapping[str, int], *, window_seconds: int) -> int:
        """Count an attempt in every counter and return 0; if one of them is used up, count it in none.

        `budgets` gives each counter's limit. A counter's window begins with its first attempt. For a refused attempt,
        returns after how many seconds (1 or more) the last of the used-up counters begins anew.
        """
        ...

    def give_back(self, budgets: Mapping[str, int]) -> None:
        """Take one attempt back from every counter whose window is still open."""
        ...
