"""The gateway's entry: `uvicorn gateway.app:build --factory` gets an app on the real parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware.base import RequestResponseEndpoint

from core import __version__, json_logs
from core.settings import Settings
from core.wiring import open_ports
from gateway import errors
from gateway.body_limit import BodyLimit
from gateway.routes import auth, boards, health, jobs, submissions
from gateway.schemas import Problem

TRACKING_SECONDS = 5.0
MAX_BODY_BYTES = 256 * 1024
"""Of a job's configuration, whose text may be six times as long as what it says (escapes)."""
DECLARED = (401, 404, 409, 413, 422, 429, 503, 507)
_PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def build() -> FastAPI:
    """The app with settings from the environment; its parts are opened when it starts and closed when it ends."""
    json_logs.configure()
    return create_app(Settings())


def create_app(settings: Settings) -> FastAPI:
    app = FastAPI(
        title="LeadersBoard",
        version=__version__,
        description="Upload code, run it in a sandbox, see its rank.",
        lifespan=_lifespan,
        responses={status: {"model": Problem, **_PROBLEM} for status in DECLARED},
    )
    app.state.settings = settings
    errors.install(app)
    app.add_middleware(BodyLimit, most=MAX_BODY_BYTES, streamed={submissions.router.prefix})
    app.middleware("http")(_identified)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Idempotency-Key"],
    )
    for routes in (health, auth, submissions, jobs, boards):
        app.include_router(routes.router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    with open_ports(app.state.settings, tracking_timeout_seconds=TRACKING_SECONDS) as ports:
        app.state.ports = ports
        ports.storage.clear_staging()
        yield


async def _identified(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    for name, value in errors.safe_headers(request).items():
        response.headers.setdefault(name, value)
    return response
