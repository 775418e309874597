"""Accounts in memory: the twin of RedisAccounts for tests, held to the same contract."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from core.domain.account import Account
from core.domain.errors import Conflict, NotFound
from core.ports.accounts import AccountPage


@dataclass
class MemoryAccounts:
    """AccountsPort for one process."""

    _accounts: dict[str, Account] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, account: Account) -> None:
        if self.bind(account) is not account:
            raise Conflict(f"The user name {account.name!r} is taken.")

    def find(self, name: str) -> Account | None:
        return self._accounts.get(name.lower())

    def bind(self, account: Account) -> Account:
        with self._lock:
            return self._accounts.setdefault(account.name.lower(), account)

    def replace(self, old: Account, new: Account) -> None:
        with self._lock:
            if self._accounts.get(old.name.lower()) != old:
                raise Conflict(f"The account {old.name!r} has changed in between. Look at it again.")
            self._accounts[old.name.lower()] = new

    def remove(self, name: str) -> None:
        with self._lock:
            if self._accounts.pop(name.lower(), None) is None:
                raise NotFound("user", name)

    def list_accounts(self, *, limit: int = 100, cursor: str | None = None) -> AccountPage:
        with self._lock:
            found = sorted(item for item in self._accounts.items() if item[0] > (cursor or "").lower())
        next_cursor = found[limit - 1][0] if len(found) > limit else None
        return AccountPage(accounts=tuple(account for _name, account in found[:limit]), next_cursor=next_cursor)
