"""The gateway's entry: `uvicorn gateway.app:build --factory` builds the app on the real adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import Lifespan

from core import __version__, json_logs
from core.settings import Settings
from core.wiring import GatewayServices, open_gateway_services
from gateway.auth.authenticator import Authenticator
from gateway.background import retention as retention_rounds
from gateway.background import staging_cleanup
from gateway.background.tracking_watch import TrackingWatch
from gateway.live.board_cache import BoardCache
from gateway.live.known_runs import KnownRuns
from gateway.live.log_stream import LogHub, closed_by_signals
from gateway.live.open_files import OpenFiles
from gateway.live.queue_forecast import QueueForecast
from gateway.metrics import Metrics
from gateway.middleware.access_log import AccessLogMiddleware
from gateway.middleware.audit import Auditor, AuditOutcomesMiddleware
from gateway.middleware.cors import ProblemCorsMiddleware
from gateway.middleware.large_answers import LargeAnswersMiddleware
from gateway.middleware.request_limits import RequestLimitsMiddleware
from gateway.middleware.route_table import RouteTable
from gateway.openapi import docs_page, document
from gateway.problems import handlers
from gateway.problems.rate_headers import LIMIT, REMAINING, RESET
from gateway.routes import (
    admin,
    artifacts,
    audit,
    auth,
    boards,
    entries,
    health,
    jobs,
    logs,
    recorded_results,
    retention,
    submissions,
    tracking,
    users,
)
from gateway.routes import metrics as metrics_routes
from gateway.state import AppState, put_state

UNPACKING = 2
"""Uploads unpacked at once; others wait. Unpacking one may take up to 150 MB of memory."""
TRACKING_SECONDS = 1.7
"""Longest wait for an answer of MLflow: a hanging dependency must be reported within 2 s."""


ROUTES = (
    health,
    auth,
    users,
    submissions,
    jobs,
    logs,
    artifacts,
    boards,
    entries,
    admin,
    recorded_results,
    retention,
    audit,
    metrics_routes,
    docs_page,
    tracking,
)
"""In the order in which the documentation lists them."""

OpenServices = Callable[[Settings], AbstractContextManager[GatewayServices]]


def _real_services(settings: Settings) -> AbstractContextManager[GatewayServices]:
    return open_gateway_services(settings, tracking_timeout_seconds=TRACKING_SECONDS)


def build() -> FastAPI:
    """The app with settings from the environment. Its ports are opened when it starts and closed when it ends."""
    json_logs.configure()
    json_logs.take_over_server_logs()
    return create_app(Settings())


def create_app(settings: Settings, *, services: OpenServices = _real_services) -> FastAPI:
    """The app with these settings. `services` opens what it stands on, when it starts."""
    metrics = Metrics()
    app = FastAPI(
        title="LeadersBoard",
        version=__version__,
        description=document.DESCRIPTION,
        openapi_tags=document.TAGS,
        servers=[{"url": "/", "description": "this server"}],
        lifespan=_lifespan(settings, metrics, services),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    for routes in ROUTES:
        app.include_router(routes.router)
    document.install(app)
    route_table = RouteTable(app.routes)
    handlers.install(app, route_table.methods_at)
    _add_middlewares(app, settings, metrics, route_table)
    return app


def _operation_id(route: APIRoute) -> str:
    """The operation id. It changes only when the endpoint is renamed; generated clients use it as a name."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def _add_middlewares(app: FastAPI, settings: Settings, metrics: Metrics, route_table: RouteTable) -> None:
    """Add the middlewares, the outermost last. Without `cors_origins` browsers refuse answers to other sites' pages."""
    app.add_middleware(RequestLimitsMiddleware, limits=settings.request, route_table=route_table)
    if settings.cors_origins:
        app.add_middleware(
            ProblemCorsMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Idempotency-Key", "Last-Event-ID", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After", "Location", LIMIT, REMAINING, RESET],
        )
    app.add_middleware(LargeAnswersMiddleware)
    app.add_middleware(AuditOutcomesMiddleware)
    app.add_middleware(AccessLogMiddleware, metrics=metrics, route_table=route_table)


def _lifespan(settings: Settings, metrics: Metrics, services: OpenServices) -> Lifespan[FastAPI]:
    """What starts and ends with the app."""

    @asynccontextmanager
    async def lasting(app: FastAPI) -> AsyncIterator[None]:
        with services(settings) as opened, ExitStack() as running:
            state = new_state(settings, metrics, opened)
            put_state(app, state)
            running.callback(state.tracking_watch.close)
            running.callback(state.log_hub.close)
            running.enter_context(closed_by_signals(state.log_hub))
            opened.ports.storage.clear_staging()
            running.enter_context(staging_cleanup.kept_up(opened.ports.storage))
            days = settings.retention_days
            running.enter_context(retention_rounds.carried_out_daily(opened.retention, opened.ports, days=days))
            yield

    return lasting


def new_state(settings: Settings, metrics: Metrics, opened: GatewayServices) -> AppState:
    """The state of an app on these services. The caller closes what must be closed."""
    ports = opened.ports
    authenticator = Authenticator(settings)
    return AppState(
        settings=settings,
        ports=ports,
        tracking_reads=KnownRuns(opened.tracking_reads),
        retention=opened.retention,
        authenticator=authenticator,
        auditor=Auditor(ports, authenticator.address),
        metrics=metrics,
        board_cache=BoardCache(ports.results, ports.job_status, ports.entry_marks),
        tracking_watch=TrackingWatch(ports.results, ports.tracking),
        log_hub=LogHub(ports.job_status, ports.storage),
        forecast=QueueForecast(job_status=ports.job_status, runners=ports.runners),
        open_files=OpenFiles(),
        unpacking=CapacityLimiter(UNPACKING),
    )
