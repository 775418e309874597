"""The page at /docs in a real browser, on a gateway of its own: it shows every call and asks nobody else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.running_gateway import environment, free_port, gateway_thread

pytestmark = pytest.mark.browser


def test_the_page_of_the_api_works_without_the_internet(tmp_path: Path, new_page: Open) -> None:
    """Swagger UI renders from our own files, under the page's policy; every request goes to the gateway.

    Neither Redis nor MLflow is needed for it.
    """
    away = free_port()
    env = environment(tmp_path, redis_url=f"redis://127.0.0.1:{away}/0", mlflow_url=f"http://127.0.0.1:{away}")
    with gateway_thread(tmp_path, env) as door:
        page = new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{door.url}/docs")
        expect(page.locator(".opblock-summary-path", has_text="/submissions").first).to_be_visible()
        expect(page.locator(".opblock-summary-path", has_text="/leaderboard").first).to_be_visible()
        page.context.close()
    elsewhere = [url for url in asked if urlsplit(url).scheme != "data" and not url.startswith(door.url)]
    assert elsewhere == []
    assert len([url for url in asked if url.startswith(door.url)]) >= 4
