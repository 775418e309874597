"""The app: how it is built, what it documents, how it starts and ends."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import structlog
from starlette.testclient import TestClient

from core import __version__
from core.settings import Settings
from gateway.app import build, create_app
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit


def test_building_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Style 7: the factory reads settings and connects to nobody."""
    monkeypatch.setenv("API_TOKENS", "ada:0123456789abcdef")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    before = structlog.get_config()
    try:
        app = build()
    finally:
        structlog.configure(**before)
    assert app.state.settings.api_tokens[0].user_id == "ada"
    assert not hasattr(app.state, "ports")


def test_the_parts_are_opened_with_the_app_and_stale_uploads_removed(tmp_path: Path) -> None:
    """R19: what an upload left behind long ago goes at the start, though no service answers yet."""
    stale = tmp_path / ".staging" / "old"
    stale.mkdir(parents=True)
    os.utime(stale, (time.time() - 3600, time.time() - 3600))
    settings = Settings(
        redis_url="redis://127.0.0.1:1/0",
        mlflow_tracking_uri="http://127.0.0.1:1",
        upload_root=tmp_path,
        log_root=tmp_path,
        benchmark_root=tmp_path,
    )
    with TestClient(create_app(settings)) as client:
        answer = client.get("/health/ready")
        assert not stale.exists()
    assert answer.status_code == 503
    assert answer.json()["dependencies"] == {"redis": "unavailable", "mlflow": "unavailable", "storage": "ok"}


def test_the_documentation_describes_every_error(site: Site) -> None:
    """Each operation declares problem documents, and every reference leads somewhere."""
    document = site.as_(None).get("/openapi.json").json()
    assert document["info"]["version"] == __version__
    for methods in document["paths"].values():
        for operation in methods.values():
            assert {"401", "422", "503"} <= set(operation["responses"])
    refs = _references(document)
    assert refs
    assert all(name in document["components"]["schemas"] for name in refs)


def test_the_documentation_tells_how_to_upload(site: Site) -> None:
    """The form is described, though its size is counted by hand."""
    operation = site.as_(None).get("/openapi.json").json()["paths"]["/submissions"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"files", "entrypoint", "config_file", "metadata"}
    assert operation["security"]


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"].removeprefix("#/components/schemas/")} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()
