"""Requests and answers about users; a password never shows in a repr."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from core.domain.account import LONGEST_PASSWORD, SHORTEST_PASSWORD, AccountKind
from core.domain.user import USER_NAME, AuthMethod, Role
from gateway.schemas.jobs import Answer

UserName = Annotated[str, Field(pattern=f"^{USER_NAME.pattern}$", examples=["ann"])]
Typed = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST_PASSWORD)]
NewPassword = Annotated[SecretStr, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Credentials(_Body):
    """User name and password."""

    username: Annotated[str, Field(min_length=1, max_length=200, examples=["ann"])]
    password: Typed


class PasswordChange(_Body):
    current_password: Typed
    new_password: NewPassword


class NewUser(_Body):
    """Without a password one is generated, and returned only in this call's answer."""

    name: UserName
    password: NewPassword | None = None
    role: Role = Role.USER


class LoginView(Answer):
    """The token is returned only here; send it as `Authorization: Bearer <token>` until it expires or you log out."""

    token: Annotated[str, Field(repr=False)]
    user_id: str
    role: Role
    expires_at: datetime


class MeView(Answer):
    user_id: str
    role: Role
    method: AuthMethod
    """How the caller was authenticated."""


class AccountView(Answer):
    """With `kind` oidc the user signs in at the issuer, and the issuer sets the role."""

    name: str
    role: Role
    kind: AccountKind
    created_at: datetime


class NewAccountView(AccountView):
    password: Annotated[str | None, Field(repr=False)]
    """Only when it was generated here; it is not stored."""


class AccountList(Answer):
    items: list[AccountView]
    next_cursor: str | None
