"""Signing in and out, and who one is."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request

from core.domain.errors import Conflict
from core.domain.session import token_hash
from core.domain.user import AuthMethod
from core.usecases.log_in import LogIn
from core.wiring import Ports
from gateway.auth.authenticator import CurrentUser, Doorkeeper, DoorkeeperPart, SentToken
from gateway.dependencies import PortsPart
from gateway.schemas.auth import Credentials, LoginView, MeView, PasswordChange

router = APIRouter(prefix="/auth", tags=["auth"])


def _log_in(keeper: Doorkeeper, ports: Ports) -> LogIn:
    return LogIn(
        accounts=ports.accounts,
        sessions=ports.sessions,
        throttle=ports.login_throttle,
        passwords=keeper.passwords,
        limits=keeper.settings.login_limits,
        lasts=keeper.settings.session_lasts,
    )


# Plain functions: hashing takes a tenth of a second, in a thread of the pool.
@router.post("/login")
def login(sent: Credentials, request: Request, keeper: DoorkeeperPart, ports: PortsPart) -> LoginView:
    """A token for user name and password. Wrong ones are 401, a wrong name just as a wrong password; too many 429."""
    usecase = _log_in(keeper, ports)
    address = keeper.address.of(request)
    return LoginView.model_validate(usecase(sent.username, sent.password.get_secret_value(), address=address))


@router.post("/logout", status_code=HTTPStatus.NO_CONTENT)
def logout(user: CurrentUser, token: SentToken, ports: PortsPart) -> None:
    """The sent token counts no longer. 409 for tokens that did not come from a login."""
    if user.method is not AuthMethod.PASSWORD:
        raise Conflict("This token was not given out by a login here, so it cannot be revoked here.")
    ports.sessions.close(token_hash(token))


@router.post("/password")
def change_password(
    sent: PasswordChange, user: CurrentUser, request: Request, keeper: DoorkeeperPart, ports: PortsPart
) -> LoginView:
    """A new password for yourself. All your sessions end; the answer's token is a new one."""
    login = _log_in(keeper, ports).change_password(
        user,
        sent.current_password.get_secret_value(),
        sent.new_password.get_secret_value(),
        address=keeper.address.of(request),
    )
    return LoginView.model_validate(login)


@router.get("/me")
def me(user: CurrentUser) -> MeView:
    """The user of the token that was sent."""
    return MeView.model_validate(user)
