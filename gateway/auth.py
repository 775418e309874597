"""Who asks: a bearer token becomes a user (AUT-1); secrets are compared in constant time and never logged."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from core.domain.errors import Unauthenticated
from core.domain.user import Role, User
from core.settings import Settings

_bearer = HTTPBearer(auto_error=False, description="A token from API_TOKENS.")


def user_of(token: str, settings: Settings) -> User:
    """The user of a token. Looks at every token, whichever matches. Raises Unauthenticated."""
    found: str | None = None
    for known in settings.api_tokens:
        if hmac.compare_digest(known.token.encode(), token.encode()):
            found = known.user_id
    if found is None:
        raise Unauthenticated("This token is not known. Ask an admin for one.")
    return User(user_id=found, role=Role.ADMIN if found in settings.admin_users else Role.USER)


def current_user(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> User:
    if credentials is None:
        raise Unauthenticated("Send your token: Authorization: Bearer <token>.")
    return user_of(credentials.credentials, request.app.state.settings)


CurrentUser = Annotated[User, Depends(current_user)]
