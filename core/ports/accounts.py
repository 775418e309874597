"""Who has a name on this site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.account import Account


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountPage:
    """Some accounts by name, and where the next page begins (None at the end)."""

    accounts: Sequence[Account]
    next_cursor: str | None


class AccountsPort(Protocol):
    """Accounts by name, whatever the case of its letters. Every change is one atomic step; all raise Unavailable."""

    def add(self, account: Account) -> None:
        """Keep a new account. Raises Conflict when its name is taken."""
        ...

    def find(self, name: str) -> Account | None:
        """The account of that name; None also for what could be no name."""
        ...

    def bind(self, account: Account) -> Account:
        """Keep a new account unless its name is taken; the account that has the name now, whosever it is."""
        ...

    def replace(self, old: Account, new: Account) -> None:
        """Change an account that still is as `old`. Raises Conflict when it changed in between, or went away."""
        ...

    def remove(self, name: str) -> None:
        """Raises NotFound."""
        ...

    def list_accounts(self, *, limit: int = 100, cursor: str | None = None) -> AccountPage:
        """Accounts by name."""
        ...
