"""Who am I?"""

from __future__ import annotations

from fastapi import APIRouter

from gateway.auth import CurrentUser
from gateway.schemas import UserView

router = APIRouter(prefix="/auth", tags=["auth"])


@router.get("/me")
def me(user: CurrentUser) -> UserView:
    """The user of the token that was sent."""
    return UserView.model_validate(user)
