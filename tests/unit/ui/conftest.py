"""A UI in front of a platform of a few lines."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from tests.unit.client.fake_platform import Platform, problem
from tests.unit.ui.front import Front
from tests.unit.ui.served import Served, served


@pytest.fixture
def platform() -> Platform:
    """A platform that knows alice by her token and bea by her password."""
    known = Platform()

    def me(asked: httpx2.Request) -> httpx2.Response:
        if asked.headers["authorization"] == "Bearer alices-token":
            return httpx2.Response(200, json={"user_id": "alice", "role": "user"})
        return httpx2.Response(401, json={"status": 401, "code": "unauthenticated", "detail": "No."})

    def login(asked: httpx2.Request) -> httpx2.Response:
        sent = json.loads(asked.content)
        if sent != {"username": "bea", "password": "beas-password"}:
            return problem(401, "wrong_credentials", "No.")
        ends = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
        return httpx2.Response(200, json={"token": "lbs_beas", "user_id": "bea", "role": "admin", "expires_at": ends})

    known.answers("GET", "/auth/me", me)
    known.answers("POST", "/auth/login", login)
    known.answers("POST", "/auth/logout", httpx2.Response(204))
    return known


@pytest.fixture
def front(platform: Platform) -> Front:
    """The UI without its Gradio pages."""
    return Front(platform)


@pytest.fixture(scope="session")
def running() -> Iterator[Served]:
    """The whole UI, started once."""
    with served() as one:
        yield one


@pytest.fixture
def ui(running: Served) -> Iterator[Served]:
    """The whole UI; visitors leave at the end."""
    yield running
    running.close_visitors()
