"""FastAPI dependencies: parts of the app's state, and the user of a request.

All are async, because FastAPI runs a plain function in a thread.
"""

from __future__ import annotations

from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from core import json_logs
from core.domain.errors import Forbidden, Unauthenticated
from core.domain.user import Role, User
from core.ports.tracking_reads import TrackingReadsPort
from core.settings import Settings
from core.usecases.retention import Retention
from core.wiring import Ports
from gateway.auth.authenticator import LONGEST_TOKEN, UNKNOWN, Authenticator
from gateway.background.tracking_watch import TrackingWatch
from gateway.live.board_cache import BoardCache
from gateway.live.log_stream import LogHub
from gateway.live.open_files import OpenFiles
from gateway.live.queue_forecast import QueueForecast
from gateway.metrics import Metrics
from gateway.middleware.audit import Auditor
from gateway.state import state_of

_bearer = HTTPBearer(
    auto_error=False, description="A token from `POST /auth/login`, from API_TOKENS, or from the site's OIDC issuer."
)


async def _settings(request: Request) -> Settings:
    return state_of(request.app).settings


async def _ports(request: Request) -> Ports:
    return state_of(request.app).ports


async def _tracking_reads(request: Request) -> TrackingReadsPort:
    return state_of(request.app).tracking_reads


async def _retention(request: Request) -> Retention:
    return state_of(request.app).retention


async def _authenticator(request: Request) -> Authenticator:
    return state_of(request.app).authenticator


async def _auditor(request: Request) -> Auditor:
    return state_of(request.app).auditor


async def _metrics(request: Request) -> Metrics:
    return state_of(request.app).metrics


async def _board_cache(request: Request) -> BoardCache:
    return state_of(request.app).board_cache


async def _tracking_watch(request: Request) -> TrackingWatch:
    return state_of(request.app).tracking_watch


async def _log_hub(request: Request) -> LogHub:
    return state_of(request.app).log_hub


async def _forecast(request: Request) -> QueueForecast:
    return state_of(request.app).forecast


async def _open_files(request: Request) -> OpenFiles:
    return state_of(request.app).open_files


async def _unpacking(request: Request) -> CapacityLimiter:
    return state_of(request.app).unpacking


AuditorPart = Annotated[Auditor, Depends(_auditor)]
AuthenticatorPart = Annotated[Authenticator, Depends(_authenticator)]
BoardCachePart = Annotated[BoardCache, Depends(_board_cache)]
LogHubPart = Annotated[LogHub, Depends(_log_hub)]
MetricsPart = Annotated[Metrics, Depends(_metrics)]
OpenFilesPart = Annotated[OpenFiles, Depends(_open_files)]
PortsPart = Annotated[Ports, Depends(_ports)]
QueueForecastPart = Annotated[QueueForecast, Depends(_forecast)]
RetentionPart = Annotated[Retention, Depends(_retention)]
SettingsPart = Annotated[Settings, Depends(_settings)]
TrackingReadsPart = Annotated[TrackingReadsPort, Depends(_tracking_reads)]
TrackingWatchPart = Annotated[TrackingWatch, Depends(_tracking_watch)]
UnpackingPart = Annotated[CapacityLimiter, Depends(_unpacking)]


async def sent_token(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    """The token in the Authorization header, the only place that is read. Raises Unauthenticated."""
    if credentials is None or not credentials.credentials:
        raise Unauthenticated("Send your token: Authorization: Bearer <token>.")
    if len(credentials.credentials) > LONGEST_TOKEN:
        raise Unauthenticated(UNKNOWN)
    return credentials.credentials


SentToken = Annotated[str, Depends(sent_token)]


async def current_user(request: Request, token: SentToken) -> User:
    """The user of the sent token; records an admin's request. Raises Unauthenticated, Forbidden, Unavailable."""
    state = state_of(request.app)
    user = await state.authenticator.user_of(token, state.ports)
    json_logs.bind(user_id=user.user_id)
    request.state.user_id = user.user_id
    if user.role is Role.ADMIN:
        await state.auditor.recorded(request, user)
    return user


CurrentUser = Annotated[User, Depends(current_user)]


async def current_admin(user: CurrentUser) -> User:
    """The same user, if it is an admin. Raises Forbidden."""
    if user.role is not Role.ADMIN:
        raise Forbidden("Only admins may do this.")
    return user


CurrentAdmin = Annotated[User, Depends(current_admin)]
