"""AUT-3: which keys an issuer's tokens are checked with, and what happens when it changes them or is away."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.auth import jwks as oidc_keys
from tests.unit.gateway.auth.door import ANN_TOKEN
from tests.unit.gateway.auth.issuer import Issuer, new_rsa
from tests.unit.gateway.auth.issuer_door import IssuerDoor

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("kid", ["../../etc/passwd", "' OR 1=1", "http://127.0.0.1/keys", "a" * 5000, "", "ec"])
def test_a_key_id_is_only_compared(trusting: IssuerDoor, issuer: Issuer, kid: str) -> None:
    """AUT-3: whatever it names, nothing is opened or fetched by it."""
    assert trusting.me(issuer.token(headers={"kid": kid})).status_code == 401
    assert set(issuer.asked) <= {"/realm/.well-known/openid-configuration", "/realm/keys"}


def test_keys_that_a_token_brings_along_are_not_used(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: `jwk`, `jku`, `x5u` and unknown critical extensions open nothing."""
    issuer.keys["own"] = new_rsa()
    own = {"jwk": issuer.public("own"), "jku": f"{issuer.url}/own", "x5u": f"{issuer.url}/own"}
    issuer.answers["/realm/own"] = (200, json.dumps({"keys": [issuer.public("own")]}).encode())
    for kid in ("rsa", "own"):
        assert trusting.me(issuer.token("own", headers={"kid": kid, **own})).status_code == 401
    assert "/realm/own" not in issuer.asked
    assert trusting.me(issuer.token(headers={"crit": ["more"], "more": 1})).status_code == 401


def test_unsuitable_published_keys_are_not_used(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: keys for encryption, for another algorithm, of another curve, too short or nonsense check nothing."""
    issuer.keys |= {"short": new_rsa(1024), "ec384": ec.generate_private_key(ec.SECP384R1())}
    published = [
        issuer.public("rsa") | {"kid": "enc", "use": "enc"}, issuer.public("rsa") | {"kid": "other", "alg": "PS256"},
        issuer.public("ec384"), issuer.public("short"), {"kid": "empty"}, {"kid": "oct", "kty": "oct", "k": "AAAA"},
        {"kid": "bad", "kty": "RSA", "n": 7, "e": None}, 7, None,
    ]  # fmt: skip
    issuer.answers["/realm/keys"] = (200, json.dumps({"keys": published}).encode())
    for kid in ("enc", "other", "empty", "oct", "bad"):
        assert trusting.me(issuer.token(headers={"kid": kid})).status_code == 401
    issuer.keys["ec-as-384"] = issuer.keys["ec384"]
    assert trusting.me(issuer.token("ec384", signed="ES384")).status_code == 200
    with pytest.warns(match="1024 bits"):
        short = issuer.token("short")
    assert trusting.me(short).status_code == 401


def test_a_token_without_key_id_needs_a_single_key(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: it is checked with the one key that fits; with two it is refused."""
    assert trusting.me(issuer.token(headers={"kid": None})).status_code == 200
    issuer.keys["rsa2"] = new_rsa()
    issuer.published.append("rsa2")
    trusting.keys_now += oidc_keys.FRESH_SECONDS
    assert trusting.me(issuer.token(headers={"kid": None})).status_code == 401


def test_new_keys_are_found_and_old_ones_forgotten(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: an unknown key id asks the issuer again, at once; a withdrawn key counts no longer."""
    old = issuer.token()
    assert trusting.me(old).status_code == 200
    issuer.keys["rsa2"] = new_rsa()
    issuer.published = ["rsa2"]
    trusting.keys_now += oidc_keys.RETRY_SECONDS
    assert trusting.me(issuer.token("rsa2")).status_code == 200
    assert trusting.me(old).status_code == 401


def test_made_up_key_ids_do_not_hammer_the_issuer(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: however many come, it is asked once in ten seconds."""
    for number in range(30):
        trusting.me(issuer.token(headers={"kid": f"made-up-{number}"}))
    assert issuer.asked.count("/realm/keys") == 1
    trusting.keys_now += oidc_keys.RETRY_SECONDS
    for number in range(30):
        trusting.me(issuer.token(headers={"kid": f"made-up-{number}"}))
    assert issuer.asked.count("/realm/keys") == 2


def test_an_issuer_that_is_away_stops_its_own_users_only(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: 503 with Retry-After for tokens of its shape; others pass or fail as ever, and it is asked seldom."""
    issuer.answers["/realm/.well-known/openid-configuration"] = (500, b"")
    for _ in range(5):
        answer = trusting.me(issuer.token())
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert len(issuer.asked) == 1
    assert trusting.me(ANN_TOKEN).status_code == 200
    assert trusting.me(trusting.token()).status_code == 200
    assert trusting.me("unknown-0123456789").status_code == 401
    issuer.answers.clear()
    trusting.keys_now += oidc_keys.RETRY_SECONDS
    assert trusting.me(issuer.token()).status_code == 200


def test_known_keys_outlast_an_hour_without_the_issuer(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: a restart of the issuer disturbs nobody; keys that it has not confirmed for an hour count no longer."""
    assert trusting.me(issuer.token()).status_code == 200
    issuer.close()
    trusting.keys_now += oidc_keys.FRESH_SECONDS
    assert trusting.me(issuer.token()).status_code == 200
    trusting.keys_now += oidc_keys.STALE_SECONDS
    assert trusting.me(issuer.token()).status_code == 503


@pytest.mark.parametrize(
    "document",
    [
        b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"issuer": "https://other.example"}', b"x" * (600 * 1024),
        b'{"issuer": "ISSUER", "jwks_uri": "http://keys.example/keys"}', b'{"issuer": "ISSUER", "jwks_uri": "file:///etc/passwd"}',
        b'{"issuer": "ISSUER", "jwks_uri": "ISSUER/list"}', b'{"issuer": "ISSUER", "jwks_uri": "ISSUER/moved"}',
    ],
)  # fmt: skip
def test_a_broken_issuer_is_as_one_that_is_away(trusting: IssuerDoor, issuer: Issuer, document: bytes) -> None:
    """AUT-3: another issuer's document, keys over plain http, endless or wrong answers: 503, never an open trusting."""
    path = "/realm/.well-known/openid-configuration"
    issuer.answers[path] = (200, document.replace(b"ISSUER", issuer.url.encode()))
    issuer.answers["/realm/list"] = (200, b'{"keys": {}}')
    issuer.answers["/realm/moved"] = (302, b"")
    assert trusting.me(issuer.token()).status_code == 503


def test_a_discovery_document_counts_for_its_own_issuer_only(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: also when its keys are the right ones."""
    document = {"issuer": issuer.url + "/", "jwks_uri": f"{issuer.url}/keys"}
    issuer.answers["/realm/.well-known/openid-configuration"] = (200, json.dumps(document).encode())
    assert trusting.me(issuer.token()).status_code == 503


def test_keys_are_not_fetched_where_they_could_be_changed_on_the_way(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: plain http from what is not this machine by name is not used, though it would answer."""
    elsewhere = Issuer("127.0.0.2")
    elsewhere.keys = issuer.keys
    document = {"issuer": issuer.url, "jwks_uri": f"{elsewhere.url}/keys"}
    issuer.answers["/realm/.well-known/openid-configuration"] = (200, json.dumps(document).encode())
    assert trusting.me(issuer.token()).status_code == 503
    assert elsewhere.asked == []
    elsewhere.close()


def test_an_endless_answer_is_not_read_to_its_end(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: half a megabyte is more than any issuer's keys."""
    _status, keys = issuer.answer("/realm/keys")
    issuer.answers["/realm/keys"] = (200, keys + b" " * oidc_keys.LARGEST_DOCUMENT)
    assert trusting.me(issuer.token()).status_code == 503


def test_a_redirect_is_not_followed(trusting: IssuerDoor, issuer: Issuer) -> None:
    """AUT-3: nobody between us and the issuer can send us elsewhere."""
    document = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/moved"}
    issuer.answers["/realm/.well-known/openid-configuration"] = (200, json.dumps(document).encode())
    issuer.answers["/realm/moved"] = (302, b"")
    assert trusting.me(issuer.token()).status_code == 503
    assert "/realm/keys" not in issuer.asked
