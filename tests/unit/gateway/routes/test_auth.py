"""Signing in and out, and changing a password, over HTTP (AUT-2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.domain.account import LoginLimits
from core.domain.session import MOST_SESSIONS, token_hash
from core.domain.user import Role
from core.usecases.accounts import AddAccount
from tests.unit.gateway.auth.door import ADMIN_TOKEN, ANN_TOKEN, PASSWORD, Door, bearer

pytestmark = pytest.mark.unit


WRONG = "wrong horse battery"


def test_a_login_answers_a_token_that_works(door: Door) -> None:
    """AUT-2: the token is opaque and opens; `user_id` is the name of the account, whatever case was typed."""
    answer = door.login("BEA").json()
    assert set(answer) == {"token", "user_id", "role", "expires_at"}
    assert (answer["user_id"], answer["role"]) == ("bea", "user")
    assert "bea" not in answer["token"]
    assert door.me(answer["token"]).json() == {"user_id": "bea", "role": "user", "method": "password"}


def test_a_token_ends_after_the_hours_of_the_setting() -> None:
    """AUT-2: SESSION_HOURS says how long; afterwards the token is 401."""
    door = Door(session_hours=2)
    answer = door.login().json()
    ends = datetime.fromisoformat(answer["expires_at"])
    assert timedelta(hours=1.99) < ends - datetime.now(UTC) <= timedelta(hours=2)
    door.sessions.clock = lambda: ends
    assert door.me(answer["token"]).status_code == 401


def test_logout_revokes_the_sent_token_only(door: Door) -> None:
    """AUT-2: the token is worth nothing afterwards; the user's other session goes on."""
    first, second = door.token(), door.token()
    assert door.browser.post("/auth/logout", headers=bearer(first)).status_code == 204
    assert door.me(first).status_code == 401
    assert door.me(second).status_code == 200
    assert door.browser.post("/auth/logout", headers=bearer(first)).status_code == 401


def test_what_no_login_gave_cannot_be_logged_out(door: Door) -> None:
    """A token of API_TOKENS stays: the caller is told so instead of being lulled."""
    answer = door.browser.post("/auth/logout", headers=bearer(ANN_TOKEN))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("bea", WRONG),
        ("nobody", PASSWORD),
        ("nobody", WRONG),
        ("a b", PASSWORD),
        ("../bea", PASSWORD),
        ("ann", ANN_TOKEN),
    ],
)
def test_wrong_is_wrong_whatever_was_wrong(door: Door, name: str, password: str) -> None:
    """AUT-2: known and unknown names get one answer after one hash each."""
    answer = door.login(name, password)
    told = {key: value for key, value in answer.json().items() if key != "request_id"}
    assert told == {key: value for key, value in door.login("bea", WRONG).json().items() if key != "request_id"}
    assert (answer.status_code, told["code"]) == (401, "wrong_credentials")
    assert (door.passwords.checked, door.passwords.computed) == (2, 2)


def test_guessing_is_stopped_and_starts_again_after_the_window(door: Door) -> None:
    """AUT-2: after ten wrong passwords even the right one is 429, with the seconds to wait, for at most a minute."""
    assert [door.login(password=WRONG).status_code for _ in range(10)] == [401] * 10
    refused = door.login()
    assert (refused.status_code, refused.json()["code"]) == (429, "limit_reached")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert door.passwords.checked == 10
    door.now += 60
    assert door.login().status_code == 200


def test_a_stranger_locks_nobody_out(door: Door) -> None:
    """AUT-2: guesses from one address keep out that address alone; the user elsewhere signs in."""
    door = Door(trusted_proxies="testclient-is-no-address,0.0.0.0/0")
    door.browser._transport.client = ("10.0.0.1", 1)  # type: ignore[attr-defined]
    for _ in range(12):
        last = door.login("bea", WRONG, **{"X-Forwarded-For": "203.0.113.7"})
    assert last.status_code == 429
    assert door.login("BEA", WRONG, **{"X-Forwarded-For": "203.0.113.7"}).status_code == 429
    assert door.login(**{"X-Forwarded-For": "203.0.113.8"}).status_code == 200


def test_one_address_cannot_try_many_names(door: Door) -> None:
    """AUT-2: guessing one password for many names is stopped by the address."""
    door = Door(login_limits=LoginLimits(address=5))
    assert [door.login(f"user{number}", WRONG).status_code for number in range(6)] == [401] * 5 + [429]


def test_many_addresses_cannot_guess_one_name() -> None:
    """AUT-2: guessing from many addresses is stopped by the name."""
    door = Door(trusted_proxies="0.0.0.0/0", login_limits=LoginLimits(name=5))
    door.browser._transport.client = ("10.0.0.1", 1)  # type: ignore[attr-defined]
    codes = [door.login("bea", WRONG, **{"X-Forwarded-For": f"203.0.113.{number}"}).status_code for number in range(6)]
    assert codes == [401] * 5 + [429]


def test_right_passwords_use_nothing_up(door: Door) -> None:
    """Somebody who signs in often is not throttled; their sessions are bounded instead."""
    tokens = [door.token() for _ in range(MOST_SESSIONS + 1)]
    assert door.me(tokens[0]).status_code == 401
    assert door.me(tokens[-1]).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {}, {"username": "bea"}, {"username": "bea", "password": ""}, {"username": "", "password": "x"},
        {"username": ["bea"], "password": PASSWORD}, {"username": "bea", "password": "x" * 257},
        {"username": "b" * 201, "password": "x"}, {"username": "bea", "password": PASSWORD, "role": "admin"}, [], None,
    ],
)  # fmt: skip
def test_what_is_no_login_is_refused_without_hashing(door: Door, body: object) -> None:
    """A malformed login is 422 and costs nothing."""
    assert door.browser.post("/auth/login", json=body).status_code == 422
    assert door.passwords.checked == 0


def test_half_a_character_is_no_crash(door: Door) -> None:
    """A lone surrogate in name or password is refused in order."""
    for body in (b'{"username": "bea", "password": "\\ud800"}', b'{"username": "\\ud800", "password": "x"}'):
        answer = door.browser.post("/auth/login", content=body, headers={"content-type": "application/json"})
        assert answer.status_code in {401, 422}


def test_a_session_that_outlived_its_account_opens_nothing(door: Door) -> None:
    """Also when the account went while its user was signing in, and a namesake came."""
    token = door.token()
    session = door.sessions.find(token_hash(token))
    assert session is not None
    door.browser.delete("/users/bea", headers=bearer(ADMIN_TOKEN))
    door.sessions.open(token_hash(token), session, most=5)
    assert door.me(token).status_code == 401
    door.browser.post("/users", json={"name": "bea", "role": "admin"}, headers=bearer(ADMIN_TOKEN))
    assert door.me(token).status_code == 401


def test_a_new_password_ends_every_session(door: Door) -> None:
    """Whoever had the old password or a token of before is out; the answer's token is in."""
    old = door.token()
    session = door.sessions.find(token_hash(old))
    assert session is not None
    body = {"current_password": PASSWORD, "new_password": "another horse battery"}
    answer = door.browser.post("/auth/password", json=body, headers=bearer(old))
    assert answer.status_code == 200
    assert door.me(old).status_code == 401
    assert door.me(answer.json()["token"]).status_code == 200
    assert door.login().status_code == 401
    assert door.login(password="another horse battery").status_code == 200
    assert door.sessions.find(token_hash(old)) is None
    door.sessions.open(token_hash(old), session, most=5)  # as one whose login was under way when the password changed
    assert door.me(old).status_code == 401


@pytest.mark.parametrize(
    ("current", "new", "status"),
    [(WRONG, "another horse battery", 401), (PASSWORD, "short", 422), (PASSWORD, "x" * 257, 422)],
)
def test_a_password_changes_only_by_the_rules(door: Door, current: str, new: str, status: int) -> None:
    """The current password is asked for, and a new one has 12 to 256 characters."""
    token = door.token()
    body = {"current_password": current, "new_password": new}
    refused = door.browser.post("/auth/password", json=body, headers=bearer(token))
    assert refused.status_code == status
    assert door.me(token).status_code == 200


def test_a_new_password_is_not_the_name(door: Door) -> None:
    """A name with a few signs more is the first guess of everybody."""
    AddAccount(accounts=door.accounts, passwords=door.passwords)("carl-carlson", PASSWORD, Role.USER)
    body = {"current_password": PASSWORD, "new_password": "Carl-Carlson1"}
    refused = door.browser.post("/auth/password", json=body, headers=bearer(door.token("carl-carlson")))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "new_password")


@pytest.mark.slow
def test_a_stolen_token_cannot_guess_the_password(door: Door) -> None:
    """AUT-2: changing the password is throttled as a login is."""
    token = door.token()
    body = {"current_password": WRONG, "new_password": "another horse battery"}
    codes = [door.browser.post("/auth/password", json=body, headers=bearer(token)).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]


def test_a_listed_token_has_no_password_to_change(door: Door) -> None:
    """Users of API_TOKENS are told so."""
    body = {"current_password": PASSWORD, "new_password": "another horse battery"}
    assert door.browser.post("/auth/password", json=body, headers=bearer(ADMIN_TOKEN)).status_code == 403
