"""The whole application, with Gradio: closed to strangers, quiet, and with every page in it."""

import gc
import json
import re
import warnings
from collections.abc import Iterator

import httpx2
import pytest
from fastapi.testclient import TestClient

from tests.unit.client.fake_platform import Platform
from tests.unit.ui.front import SECRET
from ui.app import build
from ui.settings import Settings

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def site() -> Iterator[TestClient]:
    """The application, started once; Gradio takes seconds to build."""
    platform = Platform()
    platform.answers("GET", "/auth/me", httpx2.Response(200, json={"user_id": "alice", "role": "user"}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Gradio's own: about its dependencies, and event loops that it leaves open
        app = build(Settings(ui_secret=SECRET), platform.http())
        with TestClient(app, base_url="http://ui.test", follow_redirects=False) as browser:
            gc.collect()
            yield browser
        del app, browser
        gc.collect()


def test_nothing_of_gradio_is_open_to_strangers(site: TestClient) -> None:
    """Neither pages nor configuration nor uploads nor events answer without a session."""
    site.cookies.clear()
    for path in (
        "/",
        "/submit",
        "/jobs",
        "/job",
        "/config",
        "/theme.css",
        "/gradio_api/info",
        "/gradio_api/startup-events",
    ):
        assert site.get(path).status_code == 401, path
    for path in ("/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/run/predict"):
        assert site.post(path).status_code == 401, path


def test_the_pages_are_there_after_signing_in(site: TestClient) -> None:
    """Every page answers, and asks no other site for anything."""
    site.post("/login", data={"token": "alices-token"})
    for path in ("/", "/submit", "/jobs", "/job?id=1"):
        page = site.get(path)
        assert page.status_code == 200, path
        for host in ("googleapis", "cdnjs", "huggingface.co/datasets"):
            assert f'src="https://{host}' not in page.text, path


def test_gradios_extras_are_off(site: TestClient) -> None:
    """Run history, monitoring and the call documentation are not there for users either."""
    site.post("/login", data={"token": "alices-token"})
    for path in ("/gradio_api/runs", "/monitoring", "/gradio_api/info", "/config"):
        assert site.get(path).status_code == 404, path
    config = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", site.get("/").text, re.DOTALL)[1])
    assert config["analytics_enabled"] is False
    assert config["footer_links"] == []
    assert config["connect_heartbeat"] is False, "a browser opens few connections to one site"
