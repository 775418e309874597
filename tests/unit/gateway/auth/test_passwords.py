"""How passwords are hashed (AUT-2)."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from core.domain.errors import LimitReached
from gateway.auth.passwords import Argon2Passwords
from tests.unit.gateway.auth.door import ANN_TOKEN, PASSWORD, CountingPasswords, Door, bearer

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
