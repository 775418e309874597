"""The UI's own routes behind its door, without Gradio, as a browser would meet them."""

from types import SimpleNamespace

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient

from tests.unit.client.fake_platform import Platform
from ui.app import misunderstood
from ui.board_export import export_routes
from ui.browser_sessions import BrowserSessions
from ui.log_events import log_routes
from ui.login import login_routes
from ui.markup import Templates
from ui.run_files import file_routes
from ui.session_guard import SessionGuard
from ui.session_store import Session, SessionCookie, SessionStore

ORIGIN = "http://ui.test"
SECRET = "0123456789abcdef0123456789abcdef"


class Front:
    """A browser, and the parts behind it."""

    def __init__(self, platform: Platform) -> None:
        self.sessions = SessionStore(lifetime=60, most=10)
        self.cookie = SessionCookie(SECRET)
        self.browser_sessions = BrowserSessions(http=platform.http(), store=self.sessions, cookie=self.cookie)
        self.templates = Templates({"api_docs": "http://api.test/docs", "mlflow": "http://mlflow.test"})
        self.app = app = FastAPI(exception_handlers={RequestValidationError: misunderstood})
        app.get("/health/live")(lambda: {"status": "ok"})
        app.get("/page")(lambda: {"secret": "content"})
        app.include_router(login_routes(self.browser_sessions, self.templates, lifetime=60))
        app.include_router(log_routes(self.browser_sessions, platform.async_http()))
        app.include_router(file_routes(self.browser_sessions, self.templates, platform.async_http()))
        app.include_router(export_routes(self.browser_sessions, self.templates, platform.async_http()))
        app.add_middleware(SessionGuard, sessions=self.browser_sessions)
        self.browser = TestClient(app, base_url=ORIGIN, follow_redirects=False)

    def sign_in(self, token: str = "alices-token", target: str = "/") -> int:
        """Send the sign-in form; the answer's status."""
        form = {"token": token, "target": target}
        return self.browser.post("/login", data=form, headers={"origin": ORIGIN}).status_code

    def session(self) -> Session | None:
        """The session that the browser's cookies open."""
        return self.browser_sessions.session_of(
            SimpleNamespace(cookies=self.browser.cookies, url=SimpleNamespace(scheme="http"))
        )
