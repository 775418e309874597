"""An account: a user's name on this site, with a password hash or an OIDC subject."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from core.domain.errors import Fault, InvalidInput
from core.domain.user import USER_NAME, USER_NAME_RULE, Role

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256


class AccountKind(StrEnum):
    """How the user of an account signs in."""

    PASSWORD = "password"  # noqa: S105 a way to sign in, not a password
    """A password kept here as a hash."""
    OIDC = "oidc"
    """A subject of the OIDC issuer; the issuer checks the sign-in."""


def new_stamp() -> str:
    """A random value that no account has had before."""
    return secrets.token_hex(16)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """One name on this site. Case is ignored: `ann` and `Ann` are the same account.

    A new password gives a new `stamp`; a session is valid only with the stamp under which it was opened.
    """

    name: str
    created_at: datetime
    role: Role = Role.USER
    password_hash: str = field(default="", repr=False)
    subject: str = ""
    """Issuer and subject of an account that signs in by OIDC. Its role is read from each token."""
    stamp: str = field(default_factory=new_stamp, repr=False)

    @property
    def kind(self) -> AccountKind:
        return AccountKind.OIDC if self.subject else AccountKind.PASSWORD


class LoginLimits(BaseModel):
    """How many wrong passwords are allowed per `window_seconds`; later attempts wait for the rest of the window."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    pair: Annotated[int, Field(ge=1)] = 10
    """For one user name from one address."""
    name: Annotated[int, Field(ge=1)] = 60
    """For one user name from all addresses."""
    address: Annotated[int, Field(ge=1)] = 60
    """From one address for all names."""


def new_password() -> str:
    """A random password of 144 bits."""
    return secrets.token_urlsafe(18)


def check_account(name: str, password: str) -> None:
    """Raises InvalidInput with every rule that a new account breaks."""
    faults = [] if USER_NAME.fullmatch(name) else [Fault(field="name", rule=USER_NAME_RULE)]
    faults += password_faults("password", name, password)
    if faults:
        raise InvalidInput(*faults)


def password_faults(field_name: str, name: str, password: str) -> list[Fault]:
    """The rules that a new password breaks, for the account of that name."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return [Fault(field=field_name, rule=f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")]
    if name and name.lower() in password.lower() and len(password) < len(name) + SHORTEST_PASSWORD // 2:
        return [Fault(field=field_name, rule="must not be little more than the user name")]
    return []
