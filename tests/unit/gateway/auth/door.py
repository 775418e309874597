"""The gateway's sign-in on twins in memory, with hashing made cheap."""

from __future__ import annotations

from typing import Any, cast

import httpx2
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from core.domain.user import Role
from core.settings import Settings
from core.usecases.accounts import AddAccount
from core.wiring import GatewayServices
from gateway.app import create_app, new_state
from gateway.auth.passwords import Argon2Passwords
from gateway.metrics import Metrics
from gateway.state import put_state
from tests.memory_ports import memory_ports
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
    """An app with two API tokens and one account (bea), without folders, MLflow and retention; it is never started."""

    def __init__(self, **changes: Any) -> None:
        values = {"api_tokens": f"root:{ADMIN_TOKEN},ann:{ANN_TOKEN}", "admin_users": "root", **changes}
        self.accounts, self.sessions = MemoryAccounts(), MemorySessions()
        self.throttle = MemoryLoginThrottle(clock=lambda: self.now)
        self.audit = MemoryAudit()
        self.now = 1000.0
        self.settings = Settings(**values)
        self.app = create_app(self.settings)
        ports = memory_ports(
            accounts=self.accounts, sessions=self.sessions, login_throttle=self.throttle, audit=self.audit
        )
        services = GatewayServices(ports=ports, tracking_reads=NOTHING, retention=NOTHING)
        self.state = new_state(self.settings, Metrics(), services)
        put_state(self.app, self.state)
        self.passwords = CountingPasswords()
        self.state.authenticator.passwords = self.passwords
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
