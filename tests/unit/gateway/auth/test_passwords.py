"""How passwords are hashed (AUT-2)."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from argon2 import extract_parameters

from core.domain.errors import LimitReached
from gateway.auth.passwords import Argon2Passwords
from tests.unit.gateway.auth.door import ANN_TOKEN, PASSWORD, CountingPasswords, Door, bearer
from tests.waiting import until

pytestmark = pytest.mark.unit


WRONG = "wrong horse battery"


@pytest.mark.slow
def test_an_unknown_name_takes_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """AUT-2: for a name without account a hash of the real cost is computed, as for a wrong password."""
    passwords, verified = Argon2Passwords(), []
    kept, really = passwords.hashed(PASSWORD), passwords._verify

    def noted(password_hash: str, password: str) -> bool:
        verified.append(extract_parameters(password_hash))
        return really(password_hash, password)

    monkeypatch.setattr(passwords, "_verify", noted)
    assert [passwords.matches(one, WRONG) for one in (kept, None)] == [False, False]
    assert verified[0] == verified[1]
    assert (verified[0].memory_cost, verified[0].time_cost) == (65_536, 3)


@pytest.mark.slow
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
        until(lambda: not passwords._line._value)  # type: ignore[attr-defined]
        with pytest.raises(LimitReached):
            passwords.matches(None, WRONG)
        go.set()
    assert [done.result() for done in waiting] == [False] * 10
    assert most[0] == 2
    assert not passwords.matches(None, WRONG)


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
