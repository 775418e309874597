"""AUT-2 on real Redis: a login from end to end, with real hashing, and many guesses at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from fastapi.testclient import TestClient

from core.settings import Settings
from gateway.app import create_app
from tests.conftest import redis_url

pytestmark = pytest.mark.integration

ADMIN = {"Authorization": "Bearer admin-token-0123456789"}
PASSWORD = "correct horse battery"


@pytest.fixture
def browser(redis_client: redis.Redis, tmp_path: Path) -> Iterator[TestClient]:
    """The whole gateway as it starts, with an account `ann`."""
    settings = Settings(
        redis_url=redis_url(), api_tokens="root:admin-token-0123456789", admin_users="root", upload_root=tmp_path,
        log_root=tmp_path, benchmark_root=tmp_path,
    )  # fmt: skip
    with TestClient(create_app(settings)) as opened:
        assert opened.post("/users", json={"name": "ann", "password": PASSWORD}, headers=ADMIN).status_code == 201
        yield opened


def login(browser: TestClient, password: str) -> int:
    return browser.post("/auth/login", json={"username": "ann", "password": password}).status_code


def test_from_login_to_logout(browser: TestClient, redis_client: redis.Redis) -> None:
    """A token works until it is sent to logout, and nothing in Redis could be used in its place."""
    answer = browser.post("/auth/login", json={"username": "ann", "password": PASSWORD}).json()
    header = {"Authorization": f"Bearer {answer['token']}"}
    assert browser.get("/auth/me", headers=header).json() == {"user_id": "ann", "role": "user", "method": "password"}
    for key in redis_client.keys("leaderboard:session*"):
        assert browser.get("/auth/me", headers={"Authorization": f"Bearer lbs_{key.split(':')[-1]}"}).status_code == 401
    assert browser.post("/auth/logout", headers=header).status_code == 204
    assert browser.get("/auth/me", headers=header).status_code == 401


def test_parallel_guesses_gain_nothing(browser: TestClient) -> None:
    """Of 30 wrong passwords at the same moment at most ten are looked at; the others are 429, as is a right one."""
    with ThreadPoolExecutor(30) as pool:
        codes = list(pool.map(lambda _number: login(browser, "wrong"), range(30)))
    assert set(codes) == {401, 429}
    assert codes.count(401) <= 10
    while codes.count(401) < 10 and (code := login(browser, "wrong")) == 401:
        codes.append(code)
    assert codes.count(401) == 10
    assert login(browser, PASSWORD) == 429


def test_a_removed_user_is_out_at_once(browser: TestClient) -> None:
    """Deleting an account ends its sessions."""
    answer = browser.post("/auth/login", json={"username": "ann", "password": PASSWORD}).json()
    assert browser.delete("/users/ann", headers=ADMIN).status_code == 204
    assert browser.get("/auth/me", headers={"Authorization": f"Bearer {answer['token']}"}).status_code == 401
