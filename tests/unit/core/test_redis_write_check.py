"""Readiness asks Redis for a write: what it says, and what it costs however often anybody asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from core.adapters.redis.write_check import FRESH_SECONDS, KEY, WriteCheck
from core.domain.errors import Unavailable

pytestmark = pytest.mark.unit


class Server:
    """Answers a ping, and takes writes while it is not full."""

    def __init__(self) -> None:
        self.full, self.away = False, False
        self.lasting: dict[str, int] = {}
        self.writes = 0

    def ping(self) -> None:
        if self.away:
            raise redis.ConnectionError

    def set(self, key: str, _value: str, *, ex: int) -> None:
        self.writes += 1
        self.lasting[key] = ex
        if self.full:
            raise redis.OutOfMemoryError


class Site:
    """The check on such a server, with a clock that is set."""

    def __init__(self) -> None:
        self.server, self.now = Server(), 100.0
        client: Any = self.server
        self.check = WriteCheck(client, clock=lambda: self.now)


def test_a_server_that_answers_and_takes_nothing_is_unavailable() -> None:
    """R10: told within two seconds, and so is that it takes writes again."""
    site = Site()
    site.check()
    site.server.full = True
    site.now += FRESH_SECONDS
    for _asked in range(2):
        with pytest.raises(Unavailable, match="OutOfMemoryError"):
            site.check()
    site.server.full = False
    site.now += FRESH_SECONDS
    site.check()


def test_one_that_is_away_is_told_at_once() -> None:
    """A good answer of a moment ago does not hide it."""
    site = Site()
    site.check()
    site.server.away = True
    with pytest.raises(Unavailable):
        site.check()


@pytest.mark.parametrize("full", [False, True])
def test_however_many_ask_one_write_is_made(*, full: bool) -> None:
    """Readiness needs no token: it must not be a way to keep the disk busy. What is written ends by itself."""
    site = Site()
    site.server.full = full

    def ask(_number: int) -> bool:
        try:
            site.check()
        except Unavailable:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(200))) == {not full}
    assert site.server.writes == 1
    assert 0 < site.server.lasting[KEY] <= 600
