"""The gateway's door on twins in memory, with hashing made cheap."""

from __future__ import annotations

from typing import Any, cast

import httpx2
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from core.domain.user import Role
from core.settings import Settings
from core.usecases.accounts import AddAccount
from core.wiring import Ports
from gateway.app import create_app
from gateway.auth.passwords import Argon2Passwords
from tests.twins.accounts import MemoryAccounts
from tests.twins.audit import MemoryAudit
from tests.twins.login_throttle import MemoryLoginThrottle
from tests.twins.sessions import MemorySessions

ADMIN_TOKEN = "admin-token-0123456789"
ANN_TOKEN = "ann-token-0123456789"
PASSWORD = "correct horse battery"


NOTHING: Any = None


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Door:
    """An app with two API tokens, one account (bea), and nothing behind its routes but what signing in needs."""

    def __init__(self, **changes: Any) -> None:
        values = {"api_tokens": f"root:{ADMIN_TOKEN},ann:{ANN_TOKEN}", "admin_users": "root", **changes}
        self.accounts, self.sessions = MemoryAccounts(), MemorySessions()
        self.throttle = MemoryLoginThrottle(clock=lambda: self.now)
        self.audit = MemoryAudit()
        self.now = 1000.0
        self.app = create_app(Settings(**values))
        self.app.state.ports = Ports(
            accounts=self.accounts, sessions=self.sessions, login_throttle=self.throttle,
            audit=self.audit,
            **dict.fromkeys(("storage", "job_status", "job_queue", "rate_limit", "tracking", "benchmarks",
                            "runners", "dead_letters", "results"), NOTHING),
        )  # fmt: skip
        self.passwords = CountingPasswords()
        self.app.state.doorkeeper.passwords = self.passwords
        self.browser = TestClient(self.app, base_url="http://api.test")
        AddAccount(accounts=self.accounts, passwords=self.passwords)("bea", PASSWORD, Role.USER)
        self.passwords.checked = 0

    def login(self, name: str = "bea", password: str = PASSWORD, **headers: str) -> httpx2.Response:
        return cast(
            "httpx2.Response",
            self.browser.post("/auth/login", json={"username": name, "password": password}, headers=headers),
        )

    def token(self, name: str = "bea", password: str = PASSWORD) -> str:
        return str(self.login(name, password).json()["token"])

    def me(self, token: str) -> httpx2.Response:
        return cast("httpx2.Response", self.browser.get("/auth/me", headers=bearer(token)))


class CountingPasswords(Argon2Passwords):
    """Argon2 with the least cost, counting how often it was asked, and how often it really hashed."""

    def __init__(self) -> None:
        super().__init__(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.checked = self.computed = 0

    def _verify(self, password_hash: str, password: str) -> bool:
        self.computed += password_hash.startswith("$argon2id$")
        return super()._verify(password_hash, password)

    def matches(self, password_hash: str | None, password: str) -> bool:
        self.checked += 1
        return super().matches(password_hash, password)
