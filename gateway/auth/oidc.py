"""Verifies bearer tokens of an OpenID Connect issuer: signature, issuer, audience and times before any other claim."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jwt

from core.domain.errors import Forbidden, Unauthenticated
from core.domain.user import USER_NAME, USER_NAME_RULE, Role, User
from core.ports.accounts import AccountsPort
from core.settings import OidcSettings
from core.usecases.accounts import IssuerUser
from gateway.auth.jwks import IssuerKeys, Key

# Public-key signatures only: with HS256 a token could be signed with the issuer's public key.
FAMILIES = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC", "EdDSA": "OKP",
}  # fmt: skip
SHAPE = re.compile(r"eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
LEEWAY_SECONDS = 30
REQUIRED = ["exp", "iss", "aud", "sub"]
INVALID = "This token is not valid here, or no longer. Sign in again."


class OidcTokens:
    """Turns an issuer's token into a user; lives as long as the process."""

    def __init__(
        self, settings: OidcSettings, *, reserved: frozenset[str] = frozenset(), keys: IssuerKeys | None = None
    ) -> None:
        self._settings = settings
        self._reserved = reserved
        self._keys = keys or IssuerKeys(settings.issuer)

    def user_of(self, token: str, accounts: AccountsPort) -> User:
        """The token's user. Raises Unauthenticated, Forbidden when the name cannot be used here, Unavailable."""
        claims = self._claims(token)
        name = claims.get(self._settings.user_claim) or claims["sub"]
        if not isinstance(name, str) or not USER_NAME.fullmatch(name):
            raise Forbidden(f"Your user name at the sign-in service cannot be used here: a name {USER_NAME_RULE}.")
        vouched = IssuerUser(accounts=accounts, reserved=self._reserved)
        return vouched(name, f"{claims['iss']} {claims['sub']}", self._role(claims))

    def _role(self, claims: Mapping[str, Any]) -> Role:
        groups, wanted = claims.get(self._settings.groups_claim), self._settings.admin_group
        return Role.ADMIN if wanted and isinstance(groups, list) and wanted in groups else Role.USER

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key_id = header.get("alg"), header.get("kid")
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Unauthenticated(INVALID) from error
        if algorithm not in FAMILIES:
            raise Unauthenticated(INVALID)
        # The token's key id is only compared: nothing that a token names is fetched or opened.
        usable = [key for key in self._keys.candidates(key_id) if _fits(key, algorithm)]
        if len(usable) != 1:
            raise Unauthenticated(INVALID)
        return self._verified(token, usable[0], algorithm)

    def _verified(self, token: str, key: Key, algorithm: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                jwt.PyJWK(dict(key), algorithm),
                algorithms=[algorithm],
                audience=list(self._settings.audience),
                issuer=self._settings.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED, "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError, OverflowError) as error:
            raise Unauthenticated(INVALID) from error
        return claims


def _fits(key: Key, algorithm: str) -> bool:
    """Whether a published key may verify signatures of this algorithm."""
    is_for_signing = key.get("use", "sig") == "sig"
    return is_for_signing and key.get("kty") == FAMILIES[algorithm] and key.get("alg", algorithm) == algorithm
