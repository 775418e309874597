"""Builds the UI's application from its settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from client.api.exchange import open_async_http, open_http
from ui.board_export import export_routes
from ui.browser_sessions import BrowserSessions
from ui.log_events import log_routes
from ui.login import login_routes
from ui.markup import Templates
from ui.mlflow_pages import ByPort, mlflow_app, open_pages
from ui.run_files import file_routes
from ui.session_guard import SessionGuard
from ui.session_store import SessionCookie, SessionStore
from ui.settings import Settings
from ui.uploads import upload_routes

MOST_BODY = 64 * 1024  # bytes of a request other than an upload


def build(
    settings: Settings | None = None, http: httpx2.Client | None = None, async_http: httpx2.AsyncClient | None = None
) -> FastAPI:
    """The application for both ports. Its connections to the API are closed when it stops."""
    settings = settings or Settings()
    http = http or open_http(settings.api_url, use_proxies=False)
    async_http = async_http or open_async_http(settings.api_url, use_proxies=False)
    pages = open_pages(settings.api_url)
    store = SessionStore(lifetime=settings.session_hours * 3600, most=settings.max_sessions)
    sessions = BrowserSessions(http=http, store=store, cookie=SessionCookie(settings.ui_secret.get_secret_value()))
    markup = Templates(
        {"api_docs": f"{settings.api_public_url}/docs", "mlflow": f"{settings.mlflow_url}/#/experiments"}
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with http:
            async with async_http, pages:
                yield
            await run_in_threadpool(sessions.close)

    app = FastAPI(
        title="LeadersBoard UI",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        max_body_size=MOST_BODY,
        exception_handlers={RequestValidationError: misunderstood},
    )
    _add_routes(app, sessions, markup, store.lifetime)
    app.include_router(log_routes(sessions, async_http))
    app.include_router(upload_routes(sessions, markup, async_http))
    app.include_router(file_routes(sessions, markup, async_http))
    app.include_router(export_routes(sessions, markup, async_http))
    _mount_pages(app, sessions, markup)
    app.add_middleware(SessionGuard, sessions=sessions)
    tracking = mlflow_app(sessions, markup, pages, lifetime=store.lifetime)
    app.add_middleware(ByPort, port=settings.mlflow_listen_port, other=tracking)
    return app


def _add_routes(app: FastAPI, sessions: BrowserSessions, markup: Templates, lifetime: float) -> None:
    app.get("/health/live")(lambda: {"status": "ok"})
    app.get("/favicon.ico")(lambda: RedirectResponse("/ui-assets/mark.svg", 301))
    app.include_router(login_routes(sessions, markup, lifetime=lifetime))
    app.mount("/ui-assets", StaticFiles(packages=[("ui", "assets")]))


def _mount_pages(app: FastAPI, sessions: BrowserSessions, markup: Templates) -> None:
    from ui.pages.site import mount_site  # noqa: PLC0415, Gradio takes seconds to import

    def user_of(request: Request) -> str | None:
        session = sessions.session_of(request)
        return session.user_id if session else None

    mount_site(app, sessions, markup, user_of)


async def misunderstood(_request: Request, _error: Exception) -> JSONResponse:
    """The answer to an invalid request; FastAPI's default would repeat what was sent."""
    return JSONResponse({"detail": "This request is none that the pages make. Reload the page and try again."}, 422)
