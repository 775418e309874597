"""A UI in front of a platform of a few lines."""

import httpx2
import pytest

from tests.unit.client.fake_platform import Platform
from tests.unit.ui.front import Front


@pytest.fixture
def platform() -> Platform:
    """A platform that knows one user, alice."""
    known = Platform()

    def me(asked: httpx2.Request) -> httpx2.Response:
        if asked.headers["authorization"] == "Bearer alices-token":
            return httpx2.Response(200, json={"user_id": "alice", "role": "user"})
        return httpx2.Response(401, json={"status": 401, "code": "unauthenticated", "detail": "No."})

    known.answers("GET", "/auth/me", me)
    return known


@pytest.fixture
def front(platform: Platform) -> Front:
    """The UI without its Gradio pages."""
    return Front(platform)
