"""The app: how it is built, what it documents, how it starts and ends."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from core import __version__
from core.settings import Settings
from gateway.app import build, create_app
from tests.unit.gateway.app_site import Site

pytestmark = pytest.mark.unit


def with_nobody_there(root: Path) -> Settings:
    """Neither Redis nor MLflow answers; the folders are there."""
    away = {"redis_url": "redis://127.0.0.1:1/0", "mlflow_tracking_uri": "http://127.0.0.1:1"}
    return Settings.model_validate(away | dict.fromkeys(("upload_root", "log_root", "benchmark_root"), root))


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
    with TestClient(create_app(with_nobody_there(tmp_path))) as client:
        answer = client.get("/health/ready")
        assert not stale.exists()
    assert answer.status_code == 503
    assert answer.json()["dependencies"] == {"redis": "unavailable", "mlflow": "unavailable", "storage": "ok"}


def test_what_another_gateway_leaves_goes_while_this_one_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R19: a gateway that was killed need not be started again for its half-made uploads to go."""
    monkeypatch.setattr("gateway.background.staging_cleanup.EVERY_SECONDS", 0.05)
    with TestClient(create_app(with_nobody_there(tmp_path))):
        stage = tmp_path / ".staging" / ("0" * 32)
        stage.mkdir()
        deadline = time.monotonic() + 10
        while stage.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_the_documentation_describes_every_error(site: Site) -> None:
    """Each operation declares problem documents, 401 wherever a token counts, and every reference leads somewhere."""
    document = site.as_(None).get("/openapi.json").json()
    assert document["info"]["version"] == __version__
    for path, methods in document["paths"].items():
        for operation in methods.values():
            secured = bool(operation.get("security"))
            assert secured is not (path.startswith("/health/") or path == "/auth/login")
            expected = {"422", "503"} | ({"401", "403"} if secured else set())
            assert expected <= set(operation["responses"])
            assert all(_is_problem(document, operation["responses"][status]) for status in expected)
    refs = _references(document)
    assert {"#/components/schemas/Problem", "#/components/responses/Problem401"} <= refs
    assert all(_found(document, ref) for ref in refs)


def test_the_documentation_tells_how_to_upload(site: Site) -> None:
    """The form is described, though its size is counted by hand."""
    operation = site.as_(None).get("/openapi.json").json()["paths"]["/submissions"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"files", "entrypoint", "config_file", "metadata"}
    assert operation["security"]


def _is_problem(document: dict[str, Any], answer: dict[str, Any]) -> bool:
    described = _found(document, answer["$ref"]) if "$ref" in answer else answer
    return described["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def _found(document: dict[str, Any], ref: str) -> Any:
    found: Any = document
    for step in ref.removeprefix("#/").split("/"):
        found = found[step]
    return found


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()
