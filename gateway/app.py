"""The gateway's entry: `uvicorn gateway.app:build --factory` builds the app on the real adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from fastapi import FastAPI
from fastapi.routing import APIRoute

from core import __version__, json_logs
from core.settings import Settings
from core.wiring import open_ports, open_tracking_reads
from gateway import metrics
from gateway.auth.authenticator import Doorkeeper
from gateway.background import staging_cleanup
from gateway.live.known_runs import KnownRuns
from gateway.live.large_answers import LargeAnswers
from gateway.live.open_files import OpenFiles
from gateway.metrics import Metrics
from gateway.middleware.access_log import Watch
from gateway.middleware.audit import Auditor, AuditOutcomes
from gateway.middleware.cors import CrossOrigin
from gateway.middleware.request_limits import Guard
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
    health,
    jobs,
    logs,
    recorded_results,
    retention,
    submissions,
    tracking,
    users,
)

UNPACKING = 2
"""Uploads unpacked at once; others wait. Unpacking one may take up to 150 MB of memory."""
TRACKING_SECONDS = 1.7
"""Longest wait for an answer of MLflow: a hanging dependency must be reported within 2 s."""


def build() -> FastAPI:
    """The app with settings from the environment. Its ports are opened when it starts and closed when it ends."""
    json_logs.configure()
    json_logs.take_over_server_logs()
    return create_app(Settings())


def create_app(settings: Settings) -> FastAPI:
    app = FastAPI(
        title="LeadersBoard",
        version=__version__,
        description=document.DESCRIPTION,
        openapi_tags=document.TAGS,
        servers=[{"url": "/", "description": "this server"}],
        lifespan=_lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    _set_state(app, settings)
    handlers.install(app)
    for routes in (
        health,
        auth,
        users,
        submissions,
        jobs,
        logs,
        artifacts,
        boards,
        admin,
        recorded_results,
        retention,
        audit,
        metrics,
        docs_page,
        tracking,
    ):
        app.include_router(routes.router)
    document.install(app)
    app.state.places = RouteTable(app.routes)
    _add_middlewares(app, settings)
    return app


def _set_state(app: FastAPI, settings: Settings) -> None:
    """Set the state that lives as long as the app and needs no open port."""
    app.state.settings = settings
    app.state.doorkeeper = Doorkeeper(settings)
    app.state.auditor = Auditor(app.state.doorkeeper.address)
    app.state.open_files = OpenFiles()
    app.state.unpacking = CapacityLimiter(UNPACKING)
    app.state.metrics = Metrics()


def _operation_id(route: APIRoute) -> str:
    """The operation id. It changes only when the endpoint is renamed; generated clients use it as a name."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def _add_middlewares(app: FastAPI, settings: Settings) -> None:
    """Add the middlewares, the outermost last. Without `cors_origins` browsers refuse answers to other sites' pages."""
    app.add_middleware(Guard, limits=settings.request, places=app.state.places)
    if settings.cors_origins:
        app.add_middleware(
            CrossOrigin,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Idempotency-Key", "Last-Event-ID", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After", "Location", LIMIT, REMAINING, RESET],
        )
    app.add_middleware(LargeAnswers)
    app.add_middleware(AuditOutcomes)
    app.add_middleware(Watch, metrics=app.state.metrics, places=app.state.places)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings = app.state.settings
    with (
        open_ports(settings, tracking_timeout_seconds=TRACKING_SECONDS) as ports,
        open_tracking_reads(settings) as reads,
    ):
        app.state.ports = ports
        app.state.tracking_reads = KnownRuns(reads)
        ports.storage.clear_staging()
        with staging_cleanup.kept_up(ports.storage):
            yield
