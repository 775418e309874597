"""The whole UI, real Gradio behind a real server, and visitors who send it whatever they like."""

import asyncio
import gc
import json
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import httpx2
import uvicorn
from fastapi import FastAPI
from gradio.routes import App as GradioApp
from starlette.routing import Mount

from tests.unit.client.fake_platform import Platform, problem
from tests.unit.ui.front import SECRET
from ui.app import build
from ui.settings import Settings

TOKENS = {"alices-token": "alice", "bobs-token": "bob"}
SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running UI: its address, its parts, and the platform behind it."""

    url: str
    app: FastAPI
    gradio_app: GradioApp
    platform: Platform
    visitors: list["Visitor"] = field(default_factory=list)

    @property
    def site(self) -> gr.Blocks:
        return self.gradio_app.get_blocks()

    def visitor(self, token: str = "alices-token") -> "Visitor":
        """A browser that has signed in."""
        self.visitors.append(Visitor(self.url, token))
        return self.visitors[-1]

    def close_visitors(self) -> None:
        """End the connections of all visitors."""
        while self.visitors:
            self.visitors.pop().http.close()


class Visitor:
    """A signed-in browser that keeps everything that it was answered."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx2.Client(base_url=url, timeout=SECONDS, trust_env=False)
        assert self.http.post("/login", data={"token": token}).status_code == 303
        self.seen = ""

    def ask(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Send a request; the answer's text counts as seen."""
        answer = self.http.request(method, path, **request)
        self.seen += answer.text + str(dict(answer.headers))
        return answer

    def join(self, fn_index: Any, data: Any, page: str = "page1", **more: Any) -> httpx2.Response:
        """Call an event."""
        body = {"data": data, "fn_index": fn_index, "trigger_id": None, "session_hash": page, **more}
        return self.ask("POST", "/gradio_api/queue/join", content=json.dumps(body), headers=JSON)

    def events(self, page: str = "page1") -> list[dict[str, Any]]:
        """What a page's event stream says until it ends; the answer's status where there is none."""
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": page}) as stream:
            if stream.status_code != 200:
                return [{"status": stream.status_code}]
            lines = []
            for line in stream.iter_lines():
                self.seen += line
                if line.startswith("data: "):
                    lines.append(json.loads(line.removeprefix("data: ")))
                if lines and lines[-1]["msg"] in {"close_stream", "unexpected_error"}:
                    break
            return lines


JSON = {"content-type": "application/json"}


def answering(platform: Platform) -> Platform:
    """A platform that knows two users and says nothing of what it was asked."""

    def me(asked: httpx2.Request) -> httpx2.Response:
        user = TOKENS.get(asked.headers["authorization"].removeprefix("Bearer "))
        if user is None:
            return problem(401, "unauthenticated", "No.")
        return httpx2.Response(200, json={"user_id": user, "role": "user"})

    platform.answers("GET", "/auth/me", me)
    return platform


class Silent(Platform):
    """Refuses without repeating the address."""

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        answer = super().handle(request)
        return problem(404, "not_found", "There is nothing.") if answer.status_code == 404 else answer


@contextmanager
def tidied_gradio() -> Iterator[None]:
    """Closes the event loop that Gradio makes for this thread with an application, or a later test would be blamed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Gradio's own, about its dependencies
        yield
        with suppress(RuntimeError):
            asyncio.get_event_loop().close()
        asyncio.set_event_loop(None)
        gc.collect()


@contextmanager
def served() -> Iterator[Served]:
    """The UI on a port of its own until the context ends."""
    platform = Silent()
    answering(platform)
    with tidied_gradio():
        app = build(Settings(ui_secret=SECRET), platform.http(), platform.async_http())
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, ws="none", log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + SECONDS
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        yield Served(
            url=f"http://127.0.0.1:{listener.getsockname()[1]}",
            app=app,
            gradio_app=gradio_app_of(app),
            platform=platform,
        )
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        listener.close()


def gradio_app_of(app: FastAPI) -> GradioApp:
    """Gradio's own application, behind whatever stands in front of it."""
    found: Any = [route for route in app.routes if isinstance(route, Mount)][-1].app
    while not isinstance(found, GradioApp):
        found = found._app
    return found
