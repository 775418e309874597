"""The contract of accounts, one text for the twin in memory and for Redis."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import redis
from redis.client import Pipeline

from core.adapters.redis.accounts import RedisAccounts
from core.adapters.redis.connection import connect
from core.domain.account import Account
from core.domain.errors import Conflict, NotFound, Unavailable
from core.domain.user import Role
from core.ports.accounts import AccountsPort
from tests.conftest import redis_url
from tests.twins.accounts import MemoryAccounts

pytestmark = pytest.mark.contract

THEN = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@pytest.fixture(params=["memory", "redis"])
def accounts(request: pytest.FixtureRequest) -> Iterator[AccountsPort]:
    if request.param == "memory":
        yield MemoryAccounts()
        return
    yield RedisAccounts(request.getfixturevalue("redis_client"))


def account(name: str = "ann", role: Role = Role.USER, subject: str = "") -> Account:
    return Account(
        name=name, role=role, created_at=THEN, password_hash="" if subject else "$argon2id$…", subject=subject
    )


def test_what_is_kept_is_found_again_whole(accounts: AccountsPort) -> None:
    """Nothing of an account is lost, and nobody else is found."""
    kept = account(role=Role.ADMIN)
    accounts.add(kept)
    assert accounts.find("ann") == kept
    assert accounts.find("bob") is None


def test_a_name_is_one_persons_whatever_its_letters(accounts: AccountsPort) -> None:
    """`Ann` cannot be taken beside `ann`, and finds her."""
    accounts.add(account("ann"))
    with pytest.raises(Conflict, match="taken"):
        accounts.add(account("Ann"))
    assert accounts.find("ANN") == accounts.find("ann")


@pytest.mark.parametrize("name", ["", "a b", "a\0b", "../ann", "ann\n", "é", "a" * 65, "ann:stamp", "\ud800"])
def test_what_is_no_name_is_nobody(accounts: AccountsPort, name: str) -> None:
    """Anything may be asked for; only names find somebody."""
    accounts.add(account("ann"))
    assert accounts.find(name) is None


def test_one_of_many_at_once_gets_a_name(accounts: AccountsPort) -> None:
    """Adding is one step: of parallel ones with one name a single one succeeds."""

    def add(_number: int) -> bool:
        try:
            accounts.add(account())
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(24))) == 1


def test_binding_gives_who_has_the_name(accounts: AccountsPort) -> None:
    """The first to be bound keeps the name; who comes later learns whose it is."""
    first = account(subject="https://issuer 1")
    assert accounts.bind(first) == first
    assert accounts.bind(account("ANN", subject="https://issuer 2")) == first
    with pytest.raises(Conflict):
        accounts.add(account())


def test_a_change_of_something_changed_is_refused(accounts: AccountsPort) -> None:
    """Of two changes of one account the second is told, and changes nothing."""
    old = account()
    accounts.add(old)
    new = replace(old, password_hash="new", stamp="new")
    accounts.replace(old, new)
    assert accounts.find("ann") == new
    with pytest.raises(Conflict):
        accounts.replace(old, replace(old, stamp="other"))
    assert accounts.find("ann") == new


def test_a_removed_account_is_nobodys(accounts: AccountsPort) -> None:
    """After its removal an account is not found, not listed, not changed and not removed again; its name is free."""
    old = account()
    accounts.add(old)
    accounts.remove("ANN")
    assert accounts.find("ann") is None
    assert accounts.list_accounts().accounts == ()
    with pytest.raises(NotFound):
        accounts.remove("ann")
    with pytest.raises(Conflict):
        accounts.replace(old, old)
    accounts.add(account())


def test_the_list_has_everybody_once_by_name(accounts: AccountsPort) -> None:
    """Pages follow each other without gap or repetition."""
    for name in ("dora", "Carl", "ann", "bob", "eve"):
        accounts.add(account(name))
    names, cursor = [], None
    while True:
        page = accounts.list_accounts(limit=2, cursor=cursor)
        names.append([found.name for found in page.accounts])
        cursor = page.next_cursor
        if cursor is None:
            break
    assert names == [["ann", "bob"], ["Carl", "dora"], ["eve"]]


def test_a_change_in_between_is_looked_at_again(redis_client: redis.Redis) -> None:
    """Redis: when somebody else writes between look and change, the look is repeated, so nothing is overwritten."""
    adapter, other = RedisAccounts(redis_client), RedisAccounts(connect(redis_url()))
    looks = []

    def step(pipe: Pipeline) -> None:
        looks.append(pipe.get("leaderboard:account:ann"))
        if len(looks) == 1:
            other.add(account())
        pipe.multi()
        pipe.set("leaderboard:account:ann", "seen" if looks[-1] else "overwritten")

    adapter._watching("ann", step)
    assert len(looks) == 2
    assert redis_client.get("leaderboard:account:ann") == "seen"
    other._redis.close()


def test_redis_away_is_unavailable() -> None:
    """No foreign error leaves the adapter."""
    away = RedisAccounts(connect("redis://127.0.0.1:1/0"))
    for call in (
        lambda: away.find("ann"), lambda: away.add(account()), lambda: away.replace(account(), account()),
        lambda: away.remove("ann"), away.list_accounts,
    ):  # fmt: skip
        with pytest.raises(Unavailable):
            call()
