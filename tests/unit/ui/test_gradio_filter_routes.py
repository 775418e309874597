"""Of all that Gradio serves only what our pages need is there, however its address is written."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import gradio as gr
import pytest
from gradio.routes import App as GradioApp

from tests.unit.ui.served import JSON, Served, tidied_gradio

pytestmark = pytest.mark.unit

OPEN = {"/", "/submit", "/jobs", "/job", "/theme.css"}
EVENTS = {"/gradio_api/queue/join", "/gradio_api/queue/data"}
METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS")


def everything_of_gradio() -> list[str]:
    """Every path that Gradio serves when nothing is taken away, one file page among them."""
    paths = set()
    with tidied_gradio():
        with gr.Blocks() as blocks:
            gr.File()
        app = GradioApp.create_app(blocks)
    for router in (app.router, *(route.original_router for route in app.routes if hasattr(route, "original_router"))):
        paths |= {route.path for route in router.routes if hasattr(route, "path")}
    assert len(paths) > 60, "the routes of this Gradio are listed in another way"
    return sorted(paths)


def filled(path: str, value: str) -> str:
    """A path with something in place of its parameters."""
    return re.sub(r"\{[^}]+\}", value, path)


@pytest.mark.slow
def test_no_other_route_of_gradio_is_there(ui: Served) -> None:
    """Every route of this Gradio's, with every method, is 404 but for pages, theme, files and two for events."""
    visitor = ui.visitor()
    for path in everything_of_gradio():
        for value in ("x", "/etc/hostname", "http://127.0.0.1:1/"):
            at = filled(path, value)
            if at in {"/login", "/logout", "/favicon.ico"}:  # ours, of the same name
                continue
            for method in METHODS:
                if at in OPEN | EVENTS and method in {"GET", "HEAD", "POST"}:
                    continue
                assert visitor.ask(method, at, headers=JSON, content=b"{}").status_code == 404, (method, at)


def test_what_a_later_gradio_adds_is_not_there(ui: Served) -> None:
    """A route that appears in Gradio's application is refused until somebody lists it."""
    ui.gradio_app.get("/gradio_api/brand_new")(lambda: {"news": "here"})
    ui.gradio_app.get("/brand_new")(lambda: {"news": "here"})
    for path in ("/gradio_api/brand_new", "/brand_new"):
        assert ui.visitor().ask("GET", path).status_code == 404


def test_gradios_own_application_has_nothing_else_either(ui: Served) -> None:
    """Behind the filter the routes are gone, too: a way around it would find none that reads a file."""
    app = ui.gradio_app
    routers = (app.router, *(route.original_router for route in app.routes if hasattr(route, "original_router")))
    left = {route.path for router in routers for route in router.routes if hasattr(route, "path")}
    allowed = OPEN | EVENTS | {"/assets/{path:path}", "/static/{path:path}", "/gradio_api/brand_new", "/brand_new"}
    assert left <= allowed
    assert left >= EVENTS


def spellings() -> Iterator[str]:
    """Other ways to write addresses that are closed or open."""
    for path in ("/gradio_api/file=/etc/hostname", "/gradio_api/upload", "/gradio_api/call/submit", "/config"):
        parts = path.strip("/").split("/")
        yield "/" + "/".join(quote(part, safe="").replace("a", "%61") for part in parts)
        yield "//" + "/".join(parts)
        yield "/" + "//".join(parts)
        yield "/./" + "/".join(parts)
        yield "/jobs/../" + "/".join(parts)
        yield "/assets/%2e%2e/" + "/".join(parts)
        yield path.upper()
        yield path + "/"
        yield path + "%00"
        yield path + ";a=b"
        yield "/%2e%2e" + path
    for path in ("/gradio_api/queue/join", "/gradio_api/queue/data", "/theme.css"):
        yield path + "/"
        yield path.upper()
        yield "/" + path
        yield path.replace("e", "%65")
        yield path + "%20"
    for folder in ("assets", "static"):
        for name in ("../index.html", "..%2findex.html", "%2e%2e/index.html", "....//index.html", "/etc/hostname", ""):
            yield f"/{folder}/{name}"


@pytest.mark.parametrize("path", list(spellings()))
def test_another_spelling_opens_nothing(ui: Served, path: str) -> None:
    """Encoded letters, dots, slashes and case lead nowhere; sent as they are, without a client that tidies them."""
    visitor = ui.visitor()
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.http.cookies.items())
    host, port = ui.url.removeprefix("http://").split(":")
    for method in ("GET", "POST"):
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nContent-Length: 0\r\n"
            raw.sendall(f"{head}Connection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda raw=raw: raw.recv(65536), b""))
        status = int(answer.split(b" ", 2)[1])
        assert status in {400, 404, 405}, (method, path)
        assert Path("/etc/hostname").read_bytes().strip() not in answer


HEADERS = [
    {"x-forwarded-prefix": "/gradio_api/upload"},
    {"x-forwarded-path": "/gradio_api/info"},
    {"x-original-url": "/gradio_api/info"},
    {"x-rewrite-url": "/gradio_api/info"},
    {"x-gradio-server": "http://evil.test/"},
    {"x-forwarded-host": 'evil.test"><script>'},
    {"x-direct-url": "http://evil.test/"},
    {"x-http-method-override": "PUT"},
    {"root_path": "/gradio_api"},
    {"x-script-name": "/gradio_api"},
]


@pytest.mark.parametrize("headers", HEADERS, ids=lambda headers: next(iter(headers)))
def test_no_header_leads_elsewhere(ui: Served, headers: dict[str, str]) -> None:
    """Headers of proxies open no other route and put nothing of theirs into a page."""
    visitor = ui.visitor()
    assert visitor.ask("GET", "/gradio_api/info", headers=headers).status_code == 404
    page = visitor.ask("GET", "/submit", headers=headers)
    assert page.status_code == 200
    assert "evil.test" not in page.text


def test_pages_take_no_deep_link(ui: Served) -> None:
    """Of an address's parameters Gradio gets none but those of our pages, so that none names a stored state."""
    page = ui.visitor().ask("GET", "/?deep_link=AAAAAAAAAAAAAAAAAAAAAA&__theme=dark&benchmark=x")
    assert page.status_code == 200
    assert '"deep_link_state":"none"' in page.text


def test_own_files_and_theme_are_there(ui: Served) -> None:
    """What the pages are made of is served; a file beside it is not."""
    visitor = ui.visitor()
    page = visitor.ask("GET", "/").text
    scripts = re.findall(r'(?:src|href)="\./?(assets/[^"]+)"', page)
    assert scripts
    for path in [*(f"/{one}" for one in scripts), "/theme.css"]:
        assert visitor.ask("GET", path).status_code == 200, path
    assert visitor.ask("GET", "/index.html").status_code == 404
