"""Accounts over HTTP, for admins."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from core.domain.session import token_hash
from tests.unit.gateway.auth.door import ADMIN_TOKEN, PASSWORD, Door, bearer

pytestmark = pytest.mark.unit


def added(door: Door, **body: Any) -> httpx2.Response:
    answer: Any = door.browser.post("/users", json=body, headers=bearer(ADMIN_TOKEN))
    return answer  # type: ignore[no-any-return]


def test_a_new_account_signs_in_with_its_password(door: Door) -> None:
    """AUT-2: the answer shows no password that an admin chose, and never a hash."""
    answer = added(door, name="carl", password=PASSWORD, role="admin")
    assert answer.status_code == 201
    told = answer.json()
    assert {**told, "created_at": ""} == {
        "name": "carl", "role": "admin", "kind": "password", "created_at": "", "password": None,
    }  # fmt: skip
    assert door.login("carl").json()["role"] == "admin"


def test_without_a_password_one_is_made(door: Door) -> None:
    """AUT-2: it is told once, works, and is another each time."""
    first, second = added(door, name="carl").json(), added(door, name="dora").json()
    assert first["role"] == "user"
    assert door.login("carl", first["password"]).status_code == 200
    assert len(first["password"]) >= 20
    assert first["password"] != second["password"]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": ""}, {"name": "a b"}, {"name": ".a"}, {"name": "a\n"}, {"name": "../a"}, {"name": "x" * 65},
        {"name": "é"}, {"name": "carl", "password": "short"}, {"name": "carl", "password": "x" * 257},
        {"name": "carl", "role": "root"},
        {"name": "carl", "more": 1}, {"name": "carl-carlson", "password": "carl-carlson"},
    ],
)  # fmt: skip
def test_an_account_against_the_rules_is_refused(door: Door, body: dict[str, Any]) -> None:
    """Names, passwords and roles follow their rules; the refusal names the field."""
    answer = added(door, **body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert [account.name for account in door.accounts.list_accounts().accounts] == ["bea"]


def test_a_taken_name_is_refused(door: Door) -> None:
    """Also in another case; the account that is there stays as it is."""
    for name in ("bea", "BEA"):
        assert added(door, name=name, password="another horse battery").status_code == 409
    assert door.login().status_code == 200


def test_a_removed_user_is_out_at_once(door: Door) -> None:
    """AUT-2, AUT-4: the account and every session end; removing again is 404."""
    tokens = [door.token(), door.token()]
    assert door.browser.delete("/users/bea", headers=bearer(ADMIN_TOKEN)).status_code == 204
    assert [door.me(token).status_code for token in tokens] == [401, 401]
    assert [door.sessions.find(token_hash(token)) for token in tokens] == [None, None]
    assert door.login().status_code == 401
    assert door.browser.delete("/users/bea", headers=bearer(ADMIN_TOKEN)).status_code == 404


def test_the_list_is_paged(door: Door) -> None:
    """Every account once, by name, without its hash."""
    for name in ("dora", "carl"):
        added(door, name=name)
    first = door.browser.get("/users?limit=2", headers=bearer(ADMIN_TOKEN))
    assert "argon2" not in first.text
    page = first.json()
    rest = door.browser.get("/users", params={"cursor": page["next_cursor"]}, headers=bearer(ADMIN_TOKEN)).json()
    assert [one["name"] for one in page["items"] + rest["items"]] == ["bea", "carl", "dora"]
    assert rest["next_cursor"] is None
