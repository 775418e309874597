"""Routes for signing in and out, changing one's password, and asking for one's user."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request

from core.domain.errors import Conflict
from core.domain.session import token_hash
from core.domain.user import AuthMethod
from core.usecases.log_in import LogIn
from core.wiring import Ports
from gateway.auth.authenticator import Authenticator
from gateway.dependencies import AuthenticatorPart, CurrentUser, PortsPart, SentToken
from gateway.schemas.auth import Credentials, LoginView, MeView, PasswordChange

router = APIRouter(prefix="/auth", tags=["auth"])


def _log_in(authenticator: Authenticator, ports: Ports) -> LogIn:
    return LogIn(
        accounts=ports.accounts,
        sessions=ports.sessions,
        throttle=ports.login_throttle,
        passwords=authenticator.passwords,
        limits=authenticator.settings.login_limits,
        lasts=authenticator.settings.session_lasts,
    )


# Plain functions, which FastAPI runs in a thread: hashing takes a tenth of a second.
@router.post("/login")
def login(sent: Credentials, request: Request, authenticator: AuthenticatorPart, ports: PortsPart) -> LoginView:
    """A token for user name and password. 401 for a wrong name or password alike; 429 after too many attempts."""
    usecase = _log_in(authenticator, ports)
    address = authenticator.address.of(request)
    return LoginView.model_validate(usecase(sent.username, sent.password.get_secret_value(), address=address))


@router.post("/logout", status_code=HTTPStatus.NO_CONTENT)
def logout(user: CurrentUser, token: SentToken, ports: PortsPart) -> None:
    """Revoke the sent token. 409 for tokens that did not come from a login."""
    if user.method is not AuthMethod.PASSWORD:
        raise Conflict("This token was not given out by a login here, so it cannot be revoked here.")
    ports.sessions.close(token_hash(token))


@router.post("/password")
def change_password(
    sent: PasswordChange, user: CurrentUser, request: Request, authenticator: AuthenticatorPart, ports: PortsPart
) -> LoginView:
    """Change your own password. All your sessions end; the answer has a new token."""
    login = _log_in(authenticator, ports).change_password(
        user,
        sent.current_password.get_secret_value(),
        sent.new_password.get_secret_value(),
        address=authenticator.address.of(request),
    )
    return LoginView.model_validate(login)


@router.get("/me")
def me(user: CurrentUser) -> MeView:
    """The user of the token that was sent."""
    return MeView.model_validate(user)
