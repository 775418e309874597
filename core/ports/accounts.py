"""The accounts of this site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.domain.account import Account


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountPage:
    """Some accounts by name, and the cursor of the next page (None at the end)."""

    accounts: Sequence[Account]
    next_cursor: str | None


class AccountsPort(Protocol):
    """Accounts by name, regardless of case. Every change is atomic; all methods raise Unavailable."""

    def add(self, account: Account) -> None:
        """Store a new account. Raises Conflict if its name is taken."""
        ...

    def find(self, name: str) -> Account | None:
        """The account of that name; None also for an invalid name."""
        ...

    def bind(self, account: Account) -> Account:
        """Store a new account unless its name is taken. Returns the account that now has the name, whosever it is."""
        ...

    def replace(self, old: Account, new: Account) -> None:
        """Replace an account that still equals `old`. Raises Conflict if it was changed or removed in the meantime."""
        ...

    def remove(self, name: str) -> None:
        """Raises NotFound."""
        ...

    def list_accounts(self, *, limit: int = 100, cursor: str | None = None) -> AccountPage:
        """Accounts by name."""
        ...
