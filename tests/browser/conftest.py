"""A real Chromium in front of the running stack; what it complains about fails the test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",  # tests run as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL = {"localhost", "127.0.0.1"}
SCREENSHOTS = Path(__file__).parents[2] / ".state" / "screenshots"
DESKTOP, PHONE = (1280, 800), (390, 844)

Open = Callable[..., Page]

PATIENCE = 90_000
"""Milliseconds for a step in a page: a machine that is too busy for it is no fault of the page."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a file's tests: its driver keeps an event loop in the main thread, where others may need one."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """Console errors, script exceptions and requests to other sites; at its end a test has none."""
    return []


@pytest.fixture
def new_page(chromium: Browser, complaints: list[str]) -> Iterator[Open]:
    """Open a page of a given size and colour scheme, watched for complaints."""
    contexts: list[BrowserContext] = []

    def opened(size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Page:
        viewport = {"width": size[0], "height": size[1]}
        context = chromium.new_context(viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        _watch(page, complaints)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def screenshot() -> Callable[[Page, str], None]:
    """Keep a picture of a page."""

    def keep(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return keep


@contextmanager
def expected(complaints: list[str], words: str) -> Iterator[None]:
    """A place where the browser complains by design; nothing else is forgiven."""
    before = list(complaints)
    yield
    complaints[:] = before + [one for one in complaints[len(before) :] if words not in one]


def _watch(page: Page, complaints: list[str]) -> None:
    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"console on {page.url}: {message.text}")

    def request(asked: Request) -> None:
        parts = urlsplit(asked.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname not in LOCAL:
            complaints.append(f"request to {asked.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: complaints.append(f"script on {page.url}: {error}"))
    page.on("request", request)
