"""Turns a bearer token into a user (AUT-1, AUT-3). Secrets are compared in constant time and never logged."""

from __future__ import annotations

import hashlib
import hmac

from anyio import CapacityLimiter, to_thread

from core.domain.errors import Unauthenticated
from core.domain.session import TOKEN_PREFIX
from core.domain.user import Role, User
from core.settings import Settings
from core.usecases.accounts import SessionUser
from core.wiring import Ports
from gateway.auth.client_address import ClientAddress
from gateway.auth.oidc import SHAPE, OidcTokens
from gateway.auth.passwords import Argon2Passwords

LONGEST_TOKEN = 8192
ISSUER_CALLS = 4
UNKNOWN = "This token is not known. Sign in, or ask an admin for one."


class Authenticator:
    """Authenticates every kind of token; lives as long as the app.

    The kinds are tried in the order of their cost: first the settings, then, by the token's shape, either one query to
    Redis or a signature check. A token of unknown shape costs neither.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.passwords = Argon2Passwords()
        self.address = ClientAddress(settings.trusted_proxies)
        names = frozenset(known.user_id.lower() for known in settings.api_tokens)
        self._oidc = OidcTokens(settings.oidc, reserved=names) if settings.oidc else None
        self._issuer_calls = CapacityLimiter(ISSUER_CALLS)
        self._known = [(_digest(known.token), known.user_id) for known in settings.api_tokens]

    def listed_user(self, token: str) -> User | None:
        """The user of a token from API_TOKENS, or None. Compares all tokens, so that timing does not reveal a match."""
        sent, found = _digest(token), None
        for digest, user_id in self._known:
            if hmac.compare_digest(digest, sent):
                found = user_id
        if found is None:
            return None
        return User(user_id=found, role=Role.ADMIN if found in self.settings.admin_users else Role.USER)

    async def user_of(self, token: str, ports: Ports) -> User:
        """The user of a token of any kind. Raises Unauthenticated, Forbidden, Unavailable."""
        if listed := self.listed_user(token):
            return listed
        if token.startswith(TOKEN_PREFIX):
            return await to_thread.run_sync(SessionUser(accounts=ports.accounts, sessions=ports.sessions), token)
        if self._oidc and SHAPE.fullmatch(token):
            return await self._issuers_user(self._oidc, token, ports)
        raise Unauthenticated(UNKNOWN)

    async def _issuers_user(self, oidc: OidcTokens, token: str, ports: Ports) -> User:
        # With a thread limit of its own, so that a slow issuer does not delay other requests.
        return await to_thread.run_sync(oidc.user_of, token, ports.accounts, limiter=self._issuer_calls)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
