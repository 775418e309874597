"""Accounts in Redis: one text each under `leaderboard:account:<name in lower case>`, and an index of the names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.client import Pipeline

from core.adapters.redis.account_record import account_from, account_text
from core.adapters.redis.connection import redis_errors
from core.domain.account import Account
from core.domain.errors import Conflict, NotFound
from core.domain.user import USER_NAME
from core.ports.accounts import AccountPage

KEY = "leaderboard:account:"
INDEX = "leaderboard:accounts"

AnswerT = TypeVar("AnswerT")


class RedisAccounts:
    """AccountsPort on the ledger's Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def add(self, account: Account) -> None:
        if self.bind(account).stamp != account.stamp:
            raise Conflict(f"The user name {account.name!r} is taken.")

    def find(self, name: str) -> Account | None:
        if not USER_NAME.fullmatch(name):
            return None
        with redis_errors():
            text: Any = self._redis.get(KEY + name.lower())
        return account_from(text) if text else None

    def bind(self, account: Account) -> Account:
        def keep(pipe: Pipeline) -> Account:
            text: Any = pipe.get(KEY + account.name.lower())
            pipe.multi()
            if text:
                return account_from(text)
            pipe.set(KEY + account.name.lower(), account_text(account))
            pipe.zadd(INDEX, {account.name.lower(): 0})
            return account

        return self._watching(account.name, keep)

    def replace(self, old: Account, new: Account) -> None:
        def change(pipe: Pipeline) -> bool:
            text: Any = pipe.get(KEY + old.name.lower())
            pipe.multi()
            if not text or account_from(text) != old:
                return False
            pipe.set(KEY + old.name.lower(), account_text(new))
            return True

        if not self._watching(old.name, change):
            raise Conflict(f"The account {old.name!r} has changed in between. Look at it again.")

    def _watching(self, name: str, step: Callable[[Pipeline], AnswerT]) -> AnswerT:
        """Run `step` again until no other client has changed the account between its read and its change."""
        key = KEY + name.lower()
        with redis_errors(), self._redis.pipeline() as pipe:
            while True:
                try:
                    pipe.watch(key)  # type: ignore[no-untyped-call]
                    answer = step(pipe)
                    pipe.execute()
                except redis.WatchError:
                    continue
                return answer

    def remove(self, name: str) -> None:
        with redis_errors():
            pipe = self._redis.pipeline()
            pipe.delete(KEY + name.lower())
            pipe.zrem(INDEX, name.lower())
            removed, _listed = pipe.execute()
        if not removed:
            raise NotFound("user", name)

    def list_accounts(self, *, limit: int = 100, cursor: str | None = None) -> AccountPage:
        with redis_errors():
            start = f"({cursor.lower()}" if cursor else "-"
            names: Any = self._redis.zrangebylex(INDEX, start, "+", start=0, num=limit + 1)
            texts: Any = self._redis.mget([KEY + name for name in names[:limit]]) if names else []
        accounts = tuple(account_from(text) for text in texts if text)
        return AccountPage(accounts=accounts, next_cursor=names[limit - 1] if len(names) > limit else None)
