"""AUT-1 and AUT-4: which token is which user, and where no secret may show."""

from __future__ import annotations

import hmac
import io
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from core import json_logs
from core.domain.errors import Unavailable
from core.domain.session import token_hash
from core.settings import ApiToken, Settings
from gateway.auth.authenticator import Authenticator
from tests.unit.gateway.auth.door import ADMIN_TOKEN, ANN_TOKEN, Door, bearer

pytestmark = pytest.mark.unit


@pytest.mark.slow
def test_a_bare_token_has_a_user_not_named_after_it() -> None:
    """AUT-1, AUT-2: `API_TOKENS=secret` works, and its user's name tells nothing of it."""
    bare = "bare-token-0123456789"
    name = Door(api_tokens=bare).me(bare).json()["user_id"]
    assert name.startswith("token-")
    assert "bare" not in name


@pytest.mark.parametrize("token", ["", "x", ANN_TOKEN, "lbs_", "lbs_x", "eyJ.x.y", "é" * 20])
def test_with_an_empty_list_nothing_passes(token: str) -> None:
    """AUT-1: no token list means no listed token, not an open door."""
    door = Door(api_tokens="")
    header = {"Authorization": b"Bearer " + token.encode("latin-1", "replace")}
    assert door.browser.get("/auth/me", headers=header).status_code == 401
    assert door.browser.get("/auth/me").status_code == 401


def test_with_an_empty_list_a_login_still_passes() -> None:
    """AUT-1, AUT-2: accounts need no API_TOKENS."""
    door = Door(api_tokens="")
    assert door.me(door.token()).json() == {"user_id": "bea", "role": "user", "method": "password"}


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "Authorization", "api_key", "bearer"])
def test_a_token_in_the_address_or_a_cookie_is_not_looked_at(door: Door, name: str) -> None:
    """AUT-4: a secret in a URL ends up in logs and histories, so it opens nothing there."""
    for value in (ANN_TOKEN, f"Bearer {ANN_TOKEN}"):
        assert door.browser.get("/auth/me", params={name: value}).status_code == 401
        assert door.browser.get("/auth/me", headers={"cookie": f"{name.lower()}={value}"}).status_code == 401


@pytest.mark.parametrize(
    "token", [ANN_TOKEN[:-1], ANN_TOKEN + "x", ANN_TOKEN.upper(), f"ann:{ANN_TOKEN}", "x" * 9000, f"{ANN_TOKEN} x"]
)
def test_almost_the_token_is_not_the_token(door: Door, token: str) -> None:
    """AUT-1: neither part of a token nor more than it passes."""
    assert door.me(token).status_code == 401


def test_every_listed_token_is_compared_in_constant_time(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUT-4: the comparison is hmac's, and looks at all tokens whichever matches first."""
    compared: list[bool] = []
    compare = hmac.compare_digest

    def counting(known: bytes, sent: bytes) -> bool:
        compared.append(len(known) == len(sent))
        return compare(known, sent)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    for token in (ADMIN_TOKEN, ANN_TOKEN, "unknown-0123456789", "x"):
        compared.clear()
        door.me(token)
        assert compared == [True, True]


def test_an_unknown_token_costs_nothing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing tokens makes us neither hash slowly nor ask Redis; only what looks like a session is looked up."""

    def away(_key: str) -> Any:
        raise Unavailable("Redis")

    monkeypatch.setattr(door.sessions, "find", away)
    assert door.me("unknown-0123456789").status_code == 401
    assert door.me(ANN_TOKEN).status_code == 200
    assert door.me("lbs_unknown").status_code == 503
    assert door.me("lbs_" + "x" * 9000).status_code == 401
    assert door.passwords.checked == 0


def test_no_secret_is_logged_when_we_break(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUT-4: also the traceback of a fault of ours tells no password and no token."""
    secret = "s3cret-s3cret-s3cret"
    log = io.StringIO()
    configured = structlog.get_config()
    json_logs.configure()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))

    def broken(_of: str) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(door.accounts, "find", broken)
    monkeypatch.setattr(door.sessions, "find", broken)
    assert door.login("bea", secret).status_code == 500
    assert door.me(f"lbs_{secret}").status_code == 500
    structlog.configure(**configured)
    assert "RuntimeError: broken" in log.getvalue()
    assert secret not in log.getvalue()


def test_no_secret_shows(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    """AUT-4: tokens and passwords are in no repr, no answer and no log line, whatever happens with them."""
    secret = "s3cret-s3cret-s3cret"
    log = io.StringIO()
    configured = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
    answers = [
        door.me(secret),
        door.login("bea", secret),
        door.login(secret, ""),
        door.browser.post("/auth/login", json={"username": "bea", "password": [secret]}),
        door.browser.post("/auth/login", json={"username": "bea", "password": secret, "more": secret}),
        door.browser.post("/users", json={"name": "a b", "password": secret}, headers=bearer(ADMIN_TOKEN)),
    ]
    structlog.configure(**configured)
    token = door.token()
    shown = "".join(answer.text for answer in answers) + log.getvalue() + "".join(capsys.readouterr())
    shown += repr(Settings(api_tokens=f"ann:{secret}")) + repr(door.sessions.find(token_hash(token)))
    shown += repr(door.accounts.find("bea"))
    assert secret not in shown
    assert token not in shown
    assert "$argon2" not in shown


@pytest.mark.parametrize("tokens", ["ann:short", "a b:0123456789abcdef", f"ann:{ANN_TOKEN},bob:{ANN_TOKEN}"])
def test_unsafe_token_lists_stop_the_start(tokens: str) -> None:
    """A short token, an impossible name or one token of two users is refused, and not repeated."""
    with pytest.raises(ValidationError) as refused:
        Settings(api_tokens=tokens)
    assert refused.value


def test_two_tokens_of_one_user_are_one_user() -> None:
    """A token can be replaced without a gap."""
    pair = tuple(ApiToken(user_id="ada", token=f"{n}" * 16) for n in (1, 2))
    authenticator = Authenticator(Settings(api_tokens=pair))
    assert authenticator.listed_user("1" * 16) == authenticator.listed_user("2" * 16)
    assert authenticator.listed_user("3" * 16) is None
