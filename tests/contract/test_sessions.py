"""The contract of sessions, one text for the twin in memory and for Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from core.adapters.redis.connection import connect
from core.adapters.redis.sessions import RedisSessions
from core.domain.errors import Unavailable
from core.domain.session import Session, new_token, token_hash
from core.ports.sessions import SessionsPort
from tests.twins.sessions import MemorySessions

pytestmark = pytest.mark.contract

MANY = 50


@pytest.fixture(params=["memory", "redis"])
def sessions(request: pytest.FixtureRequest) -> Iterator[SessionsPort]:
    if request.param == "memory":
        yield MemorySessions()
        return
    yield RedisSessions(request.getfixturevalue("redis_client"))


def session(user: str = "ann", seconds: float = 60) -> Session:
    return Session(user_id=user, stamp="s1", expires_at=datetime.now(UTC) + timedelta(seconds=seconds))


def test_an_open_session_is_found_by_its_token_alone(sessions: SessionsPort) -> None:
    """AUT-2: nothing of it is lost; another token finds nothing."""
    opened = session()
    sessions.open(token_hash("t"), opened, most=MANY)
    assert sessions.find(token_hash("t")) == opened
    assert sessions.find(token_hash("u")) is None
    assert sessions.find("t") is None


def test_a_session_ends_at_its_time(sessions: SessionsPort) -> None:
    """AUT-2: login tokens expire by themselves."""
    sessions.open("h", session(seconds=1), most=MANY)
    time.sleep(1.2)
    assert sessions.find("h") is None


def test_a_closed_session_is_over_and_others_are_not(sessions: SessionsPort) -> None:
    """AUT-2: logout revokes; closing again is no error."""
    sessions.open("h1", session(), most=MANY)
    sessions.open("h2", session(), most=MANY)
    sessions.close("h1")
    sessions.close("h1")
    assert sessions.find("h1") is None
    assert sessions.find("h2") is not None


def test_all_sessions_of_a_user_end_together(sessions: SessionsPort) -> None:
    """Whoever is removed is logged out everywhere; others stay."""
    for number in range(3):
        sessions.open(f"ann{number}", session("Ann"), most=MANY)
    sessions.open("bob", session("bob"), most=MANY)
    sessions.close_all("ann")
    sessions.close_all("ann")
    assert [sessions.find(f"ann{number}") for number in range(3)] == [None] * 3
    assert sessions.find("bob") is not None


def test_a_user_has_a_bounded_number_of_sessions(sessions: SessionsPort) -> None:
    """One more than allowed ends the one that would end first; another user's stay."""
    sessions.open("bob", session("bob", 1), most=2)
    for number in range(4):
        sessions.open(f"h{number}", session(seconds=60 + number), most=2)
    assert [sessions.find(f"h{number}") is not None for number in range(4)] == [False, False, True, True]
    assert sessions.find("bob") is not None


def test_redis_holds_no_token_and_forgets_by_itself(redis_client: redis.Redis) -> None:
    """AUT-2: only the hash of a token is kept, and every key has an end."""
    token = new_token()
    RedisSessions(redis_client).open(token_hash(token), session(), most=MANY)
    keys = redis_client.keys("*")
    dump = " ".join(keys) + " ".join(str(redis_client.get(key)) for key in keys if redis_client.type(key) == "string")
    assert token not in dump
    assert token.removeprefix("lbs_") not in dump
    assert all(0 < redis_client.ttl(key) <= 60 for key in keys)


def test_redis_away_is_unavailable() -> None:
    """No foreign error leaves the adapter."""
    away = RedisSessions(connect("redis://127.0.0.1:1/0"))
    for call in (
        lambda: away.find("h"), lambda: away.close("h"), lambda: away.close_all("ann"),
        lambda: away.open("h", session(), most=MANY),
    ):  # fmt: skip
        with pytest.raises(Unavailable):
            call()
