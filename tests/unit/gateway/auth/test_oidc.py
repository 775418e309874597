"""AUT-3: tokens of an OpenID Connect issuer, against a real one on this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import ValidationError

from core.settings import Settings
from tests.unit.gateway.auth.door import ADMIN_TOKEN, Door, bearer
from tests.unit.gateway.auth.issuer import AUDIENCE, Issuer, new_rsa
from tests.unit.gateway.auth.issuer_door import IssuerDoor

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_a_good_token_is_its_user(trusting: IssuerDoor, issuer: Issuer, key: str) -> None:
    """AUT-3: RSA and elliptic-curve keys, an audience among several, and the keys are fetched once."""
    for audience in (AUDIENCE, ["other", AUDIENCE]):
        answer = trusting.me(issuer.token(key, aud=audience))
        assert answer.json() == {"user_id": "olga", "role": "user", "method": "oidc"}
    assert issuer.asked == ["/realm/.well-known/openid-configuration", "/realm/keys"]


def test_without_an_issuer_no_such_token_counts(issuer: Issuer) -> None:
    """AUT-3: it must be switched on."""
    assert Door().me(issuer.token()).status_code == 401
    assert issuer.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1}, {"exp": None}, {"exp": "soon"}, {"exp": 1e400}, {"nbf": int(time.time()) + 3600}, {"iss": "https://other.example"},
        {"iss": None}, {"aud": "other"}, {"aud": None}, {"aud": []}, {"sub": None}, {"sub": 7},
    ],
)  # fmt: skip
def test_a_token_for_another_time_or_place_is_refused(
    trusting: IssuerDoor, issuer: Issuer, changes: dict[str, Any]
) -> None:
    """AUT-3: expiry, beginning, issuer, audience and subject are all checked."""
    assert trusting.me(issuer.token(**changes)).status_code == 401


def test_a_signature_by_another_key_is_refused(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: neither a stranger's key under a known id, nor a changed claim, nor a cut signature passes."""
    issuer.keys["stranger"] = new_rsa()
    head, claims, signature = issuer.token().split(".")
    other = issuer.token(preferred_username="root").split(".")[1]
    for token in (
        issuer.token("stranger", headers={"kid": "rsa"}), f"{head}.{other}.{signature}", f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:-4]}", f"{head}.{claims}", f"{head}.{claims}.{signature}.{signature}",
    ):  # fmt: skip
        assert trusting.me(token).status_code == 401


def forged(issuer: Issuer, algorithm: str, secret: bytes) -> str:
    """A token that is signed with what everybody knows."""
    claims = issuer.token().split(".")[1]
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT", "kid": "rsa"}).encode()).rstrip(b"=")
    signed = head + b"." + claims.encode()
    digest = hmac.new(secret, signed, hashlib.sha256).digest() if secret else b""
    return (signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "HS512", "ES256K", "RS1"])
def test_only_public_key_signatures_count(trusting: IssuerDoor, issuer: Issuer, algorithm: str) -> None:
    """AUT-3: no signature is none, and the public key is no shared secret."""
    public = issuer.keys["rsa"].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert trusting.me(issuer.token()).status_code == 200
    for secret in (b"", pem, json.dumps(issuer.public("rsa")).encode()):
        assert trusting.me(forged(issuer, algorithm, secret)).status_code == 401


def test_names_follow_our_rule(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: without the claim the subject is the name; a name that breaks the rule is refused in words."""
    assert trusting.me(issuer.token(preferred_username=None)).json()["user_id"] == "subject-1"
    for name in ("Olga Petrova", "../root", "a\0b", "x" * 65, 7, ["root"], "ol\u200bga", "оlga"):
        answer = trusting.me(issuer.token(preferred_username=name))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("name", ["ann", "ANN", "root", "bea", "Bea"])
def test_no_name_of_somebody_else_can_be_had(trusting: IssuerDoor, issuer: Issuer, name: str) -> None:
    """AUT-3: neither of API_TOKENS nor of an account, in whatever case; nothing of the other is shown or changed."""
    answer = trusting.me(issuer.token(preferred_username=name))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert trusting.me(ADMIN_TOKEN).json()["role"] == "admin"
    assert trusting.login().status_code == 200


def test_a_name_stays_with_its_first_subject(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: names change hands at the issuer; here the second one is told to ask an admin, who can free it."""
    assert trusting.me(issuer.token()).status_code == 200
    assert trusting.me(issuer.token(sub="subject-2")).status_code == 403
    assert trusting.me(issuer.token(sub="subject-2", preferred_username="Olga")).status_code == 403
    listed = trusting.browser.get("/users", headers=bearer(ADMIN_TOKEN)).json()["items"]
    assert [(one["name"], one["kind"]) for one in listed] == [("bea", "password"), ("olga", "oidc")]
    assert trusting.browser.post("/users", json={"name": "olga"}, headers=bearer(ADMIN_TOKEN)).status_code == 409
    trusting.browser.delete("/users/olga", headers=bearer(ADMIN_TOKEN))
    assert trusting.me(issuer.token(sub="subject-2")).status_code == 200


def test_a_user_of_the_issuer_has_no_password_here(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-2, AUT-3: no password opens such an account, not even an empty one."""
    token = issuer.token()
    trusting.me(token)
    assert [trusting.login("olga", word).status_code for word in ("x", "subject-1")] == [401, 401]
    assert trusting.passwords.computed == 2
    body = {"current_password": "x", "new_password": "another horse battery"}
    assert trusting.browser.post("/auth/password", json=body, headers=bearer(token)).status_code == 403
    assert trusting.browser.post("/auth/logout", headers=bearer(token)).status_code == 409


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["leads"], "admin"),
        (["other", "leads"], "admin"),
        (["leads2"], "user"),
        ("leads", "user"),
        (None, "user"),
        ({"leads": 1}, "user"),
    ],
)
def test_a_group_makes_admins(trusting: IssuerDoor, issuer: Issuer, groups: object, role: str) -> None:
    """AUT-4: only a list that names OIDC_ADMIN_GROUP does; ADMIN_USERS is about API_TOKENS alone."""
    assert trusting.me(issuer.token(groups=groups)).json()["role"] == role


def test_without_a_group_nobody_is_admin(issuer: Issuer) -> None:
    """AUT-4: an empty setting is no group."""
    door = IssuerDoor(issuer)
    door.state.authenticator._oidc._settings = door.settings.oidc.model_copy(update={"admin_group": ""})
    assert door.me(issuer.token(groups=[""])).json()["role"] == "user"


@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_issuer": "http://login.example", "oidc_audience": "x"},
        {"oidc_issuer": "login.example", "oidc_audience": "x"},
        {"oidc_issuer": "https://login.example"}, {"oidc_issuer": "https://login.example", "oidc_audience": ""},
        {"oidc_issuer": "ftp://login.example", "oidc_audience": "x"}, {"oidc_issuer": "https://", "oidc_audience": "x"},
    ],
)  # fmt: skip
def test_unsafe_issuers_stop_the_start(changes: dict[str, str]) -> None:
    """AUT-3: https (or this machine), and an audience, or no start."""
    with pytest.raises(ValidationError, match="OIDC_"):
        Settings(**changes)  # type: ignore[arg-type]
