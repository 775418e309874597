"""AUT-3: tokens of an OpenID Connect issuer, against a real one on this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from core.settings import Settings
from gateway import oidc_keys
from gateway.oidc_keys import IssuerKeys
from tests.unit.auth.door import ADMIN_TOKEN, ANN_TOKEN, Door, bearer
from tests.unit.auth.issuer import AUDIENCE, Issuer, new_rsa

pytestmark = pytest.mark.unit


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    serving = Issuer()
    yield serving
    serving.close()


class IssuerDoor(Door):
    """A door that trusts an issuer, with a clock for its keys that the test moves."""

    def __init__(self, issuer: Issuer, **changes: Any) -> None:
        super().__init__(oidc_issuer=issuer.url, oidc_audience=AUDIENCE, oidc_admin_group="leads", **changes)
        self.keys_now = 0.0
        self.app.state.doorkeeper._oidc._keys = IssuerKeys(issuer.url, clock=lambda: self.keys_now)


@pytest.fixture
def door(issuer: Issuer) -> IssuerDoor:
    return IssuerDoor(issuer)


@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_a_good_token_is_its_user(door: IssuerDoor, issuer: Issuer, key: str) -> None:
    """AUT-3: RSA and elliptic-curve keys, an audience among several, and the keys are fetched once."""
    for audience in (AUDIENCE, ["other", AUDIENCE]):
        answer = door.me(issuer.token(key, aud=audience))
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
    door: IssuerDoor, issuer: Issuer, changes: dict[str, Any]
) -> None:
    """AUT-3: expiry, beginning, issuer, audience and subject are all checked."""
    assert door.me(issuer.token(**changes)).status_code == 401


def test_a_signature_by_another_key_is_refused(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: neither a stranger's key under a known id, nor a changed claim, nor a cut signature passes."""
    issuer.keys["stranger"] = new_rsa()
    head, claims, signature = issuer.token().split(".")
    other = issuer.token(preferred_username="root").split(".")[1]
    for token in (
        issuer.token("stranger", headers={"kid": "rsa"}), f"{head}.{other}.{signature}", f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:-4]}", f"{head}.{claims}", f"{head}.{claims}.{signature}.{signature}",
    ):  # fmt: skip
        assert door.me(token).status_code == 401


def forged(issuer: Issuer, algorithm: str, secret: bytes) -> str:
    """A token that is signed with what everybody knows."""
    claims = issuer.token().split(".")[1]
    head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT", "kid": "rsa"}).encode()).rstrip(b"=")
    signed = head + b"." + claims.encode()
    digest = hmac.new(secret, signed, hashlib.sha256).digest() if secret else b""
    return (signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "HS512", "ES256K", "RS1"])
def test_only_public_key_signatures_count(door: IssuerDoor, issuer: Issuer, algorithm: str) -> None:
    """AUT-3: no signature is none, and the public key is no shared secret."""
    public = issuer.keys["rsa"].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert door.me(issuer.token()).status_code == 200
    for secret in (b"", pem, json.dumps(issuer.public("rsa")).encode()):
        assert door.me(forged(issuer, algorithm, secret)).status_code == 401


@pytest.mark.parametrize("kid", ["../../etc/passwd", "' OR 1=1", "http://127.0.0.1/keys", "a" * 5000, "", "ec"])
def test_a_key_id_is_only_compared(door: IssuerDoor, issuer: Issuer, kid: str) -> None:
    """AUT-3: whatever it names, nothing is opened or fetched by it."""
    assert door.me(issuer.token(headers={"kid": kid})).status_code == 401
    assert set(issuer.asked) <= {"/realm/.well-known/openid-configuration", "/realm/keys"}


def test_keys_that_a_token_brings_along_are_not_used(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: `jwk`, `jku`, `x5u` and unknown critical extensions open nothing."""
    issuer.keys["own"] = new_rsa()
    own = {"jwk": issuer.public("own"), "jku": f"{issuer.url}/own", "x5u": f"{issuer.url}/own"}
    issuer.answers["/realm/own"] = (200, json.dumps({"keys": [issuer.public("own")]}).encode())
    for kid in ("rsa", "own"):
        assert door.me(issuer.token("own", headers={"kid": kid, **own})).status_code == 401
    assert "/realm/own" not in issuer.asked
    assert door.me(issuer.token(headers={"crit": ["more"], "more": 1})).status_code == 401


def test_unsuitable_published_keys_are_not_used(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: keys for encryption, for another algorithm, of another curve, too short or nonsense check nothing."""
    issuer.keys |= {"short": new_rsa(1024), "ec384": ec.generate_private_key(ec.SECP384R1())}
    published = [
        issuer.public("rsa") | {"kid": "enc", "use": "enc"}, issuer.public("rsa") | {"kid": "other", "alg": "PS256"},
        issuer.public("ec384"), issuer.public("short"), {"kid": "empty"}, {"kid": "oct", "kty": "oct", "k": "AAAA"},
        {"kid": "bad", "kty": "RSA", "n": 7, "e": None}, 7, None,
    ]  # fmt: skip
    issuer.answers["/realm/keys"] = (200, json.dumps({"keys": published}).encode())
    for kid in ("enc", "other", "empty", "oct", "bad"):
        assert door.me(issuer.token(headers={"kid": kid})).status_code == 401
    issuer.keys["ec-as-384"] = issuer.keys["ec384"]
    assert door.me(issuer.token("ec384", signed="ES384")).status_code == 200
    with pytest.warns(match="1024 bits"):
        short = issuer.token("short")
    assert door.me(short).status_code == 401


def test_a_token_without_key_id_needs_a_single_key(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: it is checked with the one key that fits; with two it is refused."""
    assert door.me(issuer.token(headers={"kid": None})).status_code == 200
    issuer.keys["rsa2"] = new_rsa()
    issuer.published.append("rsa2")
    door.keys_now += oidc_keys.FRESH_SECONDS
    assert door.me(issuer.token(headers={"kid": None})).status_code == 401


def test_new_keys_are_found_and_old_ones_forgotten(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: an unknown key id asks the issuer again, at once; a withdrawn key counts no longer."""
    old = issuer.token()
    assert door.me(old).status_code == 200
    issuer.keys["rsa2"] = new_rsa()
    issuer.published = ["rsa2"]
    door.keys_now += oidc_keys.RETRY_SECONDS
    assert door.me(issuer.token("rsa2")).status_code == 200
    assert door.me(old).status_code == 401


def test_made_up_key_ids_do_not_hammer_the_issuer(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: however many come, it is asked once in ten seconds."""
    for number in range(30):
        door.me(issuer.token(headers={"kid": f"made-up-{number}"}))
    assert issuer.asked.count("/realm/keys") == 1
    door.keys_now += oidc_keys.RETRY_SECONDS
    for number in range(30):
        door.me(issuer.token(headers={"kid": f"made-up-{number}"}))
    assert issuer.asked.count("/realm/keys") == 2


def test_an_issuer_that_is_away_stops_its_own_users_only(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: 503 with Retry-After for tokens of its shape; others pass or fail as ever, and it is asked seldom."""
    issuer.answers["/realm/.well-known/openid-configuration"] = (500, b"")
    for _ in range(5):
        answer = door.me(issuer.token())
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert len(issuer.asked) == 1
    assert door.me(ANN_TOKEN).status_code == 200
    assert door.me(door.token()).status_code == 200
    assert door.me("unknown-0123456789").status_code == 401
    issuer.answers.clear()
    door.keys_now += oidc_keys.RETRY_SECONDS
    assert door.me(issuer.token()).status_code == 200


def test_known_keys_outlast_an_hour_without_the_issuer(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: a restart of the issuer disturbs nobody; keys that it has not confirmed for an hour count no longer."""
    assert door.me(issuer.token()).status_code == 200
    issuer.close()
    door.keys_now += oidc_keys.FRESH_SECONDS
    assert door.me(issuer.token()).status_code == 200
    door.keys_now += oidc_keys.STALE_SECONDS
    assert door.me(issuer.token()).status_code == 503


@pytest.mark.parametrize(
    "document",
    [
        b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"issuer": "https://other.example"}', b"x" * (600 * 1024),
        b'{"issuer": "ISSUER", "jwks_uri": "http://keys.example/keys"}', b'{"issuer": "ISSUER", "jwks_uri": "file:///etc/passwd"}',
        b'{"issuer": "ISSUER", "jwks_uri": "ISSUER/list"}', b'{"issuer": "ISSUER", "jwks_uri": "ISSUER/moved"}',
    ],
)  # fmt: skip
def test_a_broken_issuer_is_as_one_that_is_away(door: IssuerDoor, issuer: Issuer, document: bytes) -> None:
    """AUT-3: another issuer's document, keys over plain http, endless or wrong answers: 503, never an open door."""
    path = "/realm/.well-known/openid-configuration"
    issuer.answers[path] = (200, document.replace(b"ISSUER", issuer.url.encode()))
    issuer.answers["/realm/list"] = (200, b'{"keys": {}}')
    issuer.answers["/realm/moved"] = (302, b"")
    assert door.me(issuer.token()).status_code == 503


def test_a_discovery_document_counts_for_its_own_issuer_only(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: also when its keys are the right ones."""
    document = {"issuer": issuer.url + "/", "jwks_uri": f"{issuer.url}/keys"}
    issuer.answers["/realm/.well-known/openid-configuration"] = (200, json.dumps(document).encode())
    assert door.me(issuer.token()).status_code == 503


def test_keys_are_not_fetched_where_they_could_be_changed_on_the_way(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: plain http from what is not this machine by name is not used, though it would answer."""
    elsewhere = Issuer("127.0.0.2")
    elsewhere.keys = issuer.keys
    document = {"issuer": issuer.url, "jwks_uri": f"{elsewhere.url}/keys"}
    issuer.answers["/realm/.well-known/openid-configuration"] = (200, json.dumps(document).encode())
    assert door.me(issuer.token()).status_code == 503
    assert elsewhere.asked == []
    elsewhere.close()


def test_names_follow_our_rule(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: without the claim the subject is the name; a name that breaks the rule is refused in words."""
    assert door.me(issuer.token(preferred_username=None)).json()["user_id"] == "subject-1"
    for name in ("Olga Petrova", "../root", "a\0b", "x" * 65, 7, ["root"], "ol\u200bga", "оlga"):
        answer = door.me(issuer.token(preferred_username=name))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("name", ["ann", "ANN", "root", "bea", "Bea"])
def test_no_name_of_somebody_else_can_be_had(door: IssuerDoor, issuer: Issuer, name: str) -> None:
    """AUT-3: neither of API_TOKENS nor of an account, in whatever case; nothing of the other is shown or changed."""
    answer = door.me(issuer.token(preferred_username=name))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert door.me(ADMIN_TOKEN).json()["role"] == "admin"
    assert door.login().status_code == 200


def test_a_name_stays_with_its_first_subject(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: names change hands at the issuer; here the second one is told to ask an admin, who can free it."""
    assert door.me(issuer.token()).status_code == 200
    assert door.me(issuer.token(sub="subject-2")).status_code == 403
    assert door.me(issuer.token(sub="subject-2", preferred_username="Olga")).status_code == 403
    listed = door.browser.get("/users", headers=bearer(ADMIN_TOKEN)).json()["items"]
    assert [(one["name"], one["kind"]) for one in listed] == [("bea", "password"), ("olga", "oidc")]
    assert door.browser.post("/users", json={"name": "olga"}, headers=bearer(ADMIN_TOKEN)).status_code == 409
    door.browser.delete("/users/olga", headers=bearer(ADMIN_TOKEN))
    assert door.me(issuer.token(sub="subject-2")).status_code == 200


def test_a_user_of_the_issuer_has_no_password_here(door: IssuerDoor, issuer: Issuer) -> None:
    """AUT-2, AUT-3: no password opens such an account, not even an empty one."""
    token = issuer.token()
    door.me(token)
    assert [door.login("olga", word).status_code for word in ("x", "subject-1")] == [401, 401]
    body = {"current_password": "x", "new_password": "another horse battery"}
    assert door.browser.post("/auth/password", json=body, headers=bearer(token)).status_code == 403
    assert door.browser.post("/auth/logout", headers=bearer(token)).status_code == 409


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
def test_a_group_makes_admins(door: IssuerDoor, issuer: Issuer, groups: object, role: str) -> None:
    """AUT-4: only a list that names OIDC_ADMIN_GROUP does; ADMIN_USERS is about API_TOKENS alone."""
    assert door.me(issuer.token(groups=groups)).json()["role"] == role


def test_without_a_group_nobody_is_admin(issuer: Issuer) -> None:
    """AUT-4: an empty setting is no group."""
    door = IssuerDoor(issuer)
    door.app.state.doorkeeper._oidc._settings = door.app.state.settings.oidc.model_copy(update={"admin_group": ""})
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
