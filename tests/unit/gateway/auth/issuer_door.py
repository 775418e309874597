"""The door of a site with an OpenID Connect issuer."""

from __future__ import annotations

from typing import Any

from gateway.auth.jwks import IssuerKeys
from tests.unit.gateway.auth.door import Door
from tests.unit.gateway.auth.issuer import AUDIENCE, Issuer


class IssuerDoor(Door):
    """A door that trusts an issuer, with a clock for its keys that the test moves."""

    def __init__(self, issuer: Issuer, **changes: Any) -> None:
        super().__init__(oidc_issuer=issuer.url, oidc_audience=AUDIENCE, oidc_admin_group="leads", **changes)
        self.keys_now = 0.0
        self.state.authenticator._oidc._keys = IssuerKeys(issuer.url, clock=lambda: self.keys_now)
