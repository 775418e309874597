"""How often somebody may guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class LoginThrottlePort(Protocol):
    """Counters that vanish with their window; each method is one atomic step and raises Unavailable."""

    def take(self, budgets: Mapping[str, int], *, window_seconds: int) -> int:
        """Count an attempt in every counter and answer 0, or, where one is used up, count it nowhere.

        `budgets` gives each counter's limit. A counter's window begins with its first attempt. The answer is then in
        how many seconds (1 or more) the last of the used-up counters begins anew.
        """
        ...

    def give_back(self, budgets: Mapping[str, int]) -> None:
        """Take one attempt back from every counter that still runs."""
        ...
