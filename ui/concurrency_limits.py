"""Limits how many of one thing run at once: for each user, and for all together."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from client.api.errors import Problem, TooMany


class Slots:
    """Counts what is in progress; lives as long as the application. Used only on its event loop."""

    def __init__(self, what: str, *, of_one_user: int, of_all: int) -> None:
        """`what` completes "You have 4 …"."""
        self._what = what
        self._of_one_user = of_one_user
        self._of_all = of_all
        self._of_user: Counter[str] = Counter()

    @contextmanager
    def one_of(self, user_id: str) -> Iterator[None]:
        """Count one of a user while the context lasts. Raises TooMany."""
        if self._of_user[user_id] >= self._of_one_user:
            raise _refusal(f"You have {self._of_one_user} {self._what}, which is the most at once.")
        if self._of_user.total() >= self._of_all:
            raise _refusal(f"There are {self._of_all} {self._what}, which is the most at once.")
        self._of_user[user_id] += 1
        try:
            yield
        finally:
            self._of_user[user_id] -= 1
            if not self._of_user[user_id]:
                del self._of_user[user_id]


def _refusal(words: str) -> TooMany:
    return TooMany(Problem(status=429, code="limit_reached", detail=words))
