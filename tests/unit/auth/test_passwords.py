"""AUT-2: how passwords are kept, checked a few at once, and changed."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from core.domain.errors import LimitReached
from core.domain.session import token_hash
from core.domain.user import Role
from core.usecases.accounts import AddAccount
from gateway.auth.passwords import Argon2Passwords
from tests.unit.auth.door import ADMIN_TOKEN, ANN_TOKEN, PASSWORD, CountingPasswords, Door, bearer

pytestmark = pytest.mark.unit

WRONG = "wrong horse battery"


def test_an_unknown_name_takes_as_long() -> None:
    """AUT-2: with the real cost, a wrong name takes as long as a wrong password, and that is long."""
    passwords = Argon2Passwords()
    kept = passwords.hashed(PASSWORD)

    def seconds(password_hash: str | None) -> float:
        best = []
        for _ in range(5):
            begin = time.perf_counter()
            assert not passwords.matches(password_hash, WRONG)
            best.append(time.perf_counter() - begin)
        return min(best)

    known, unknown = seconds(kept), seconds(None)
    assert min(known, unknown) > 0.02
    assert 0.5 < known / unknown < 2


def test_passwords_are_kept_as_argon2id_hashes() -> None:
    """AUT-2: salted, 64 MiB each; the same password gives another hash every time, and a damaged one opens nothing."""
    passwords = Argon2Passwords()
    kept = passwords.hashed(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.hashed(PASSWORD) != kept
    assert passwords.matches(kept, PASSWORD)
    assert not passwords.matches("damaged", PASSWORD)
    assert not passwords.matches("", "")


def test_one_password_has_one_spelling() -> None:
    """What two keyboards type for the same letters is the same password."""
    passwords = CountingPasswords()
    assert passwords.matches(passwords.hashed("caf\u00e9 caf\u00e9 caf\u00e9"), "cafe\u0301 cafe\u0301 cafe\u0301")


def test_few_passwords_are_hashed_at_once() -> None:
    """Memory is bounded: two at once, eight in line, the eleventh is asked to come again, and then can."""
    passwords = CountingPasswords()
    running, most, go = [0], [0], threading.Event()

    def slow(_hash: str, _password: str) -> bool:
        running[0] += 1
        most[0] = max(most[0], running[0])
        go.wait(5)
        running[0] -= 1
        return False

    passwords._verify = slow  # type: ignore[method-assign]
    with ThreadPoolExecutor(10) as pool:
        waiting = [pool.submit(passwords.matches, None, WRONG) for _ in range(10)]
        while passwords._line._value:  # type: ignore[attr-defined]
            time.sleep(0.01)
        with pytest.raises(LimitReached):
            passwords.matches(None, WRONG)
        go.set()
    assert [done.result() for done in waiting] == [False] * 10
    assert most[0] == 2
    assert not passwords.matches(None, WRONG)


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


def test_the_event_loop_is_free_while_hashing(door: Door) -> None:
    """AUT-2: other requests are answered while somebody's password is being checked."""
    begun, go = threading.Event(), threading.Event()

    def slow(_hash: str, _password: str) -> bool:
        begun.set()
        return not go.wait(5)

    door.passwords._verify = slow  # type: ignore[method-assign]

    async def both() -> tuple[int, int]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(door.app), base_url="http://api.test") as http:
            body = {"username": "bea", "password": PASSWORD}
            login = asyncio.create_task(http.post("/auth/login", json=body))
            assert await asyncio.to_thread(begun.wait, 5)
            me = await http.get("/auth/me", headers=bearer(ANN_TOKEN))
            go.set()
            return me.status_code, (await login).status_code

    assert asyncio.run(both()) == (200, 401)
