"""The app: how it is built, starts and ends."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import structlog
from starlette.testclient import TestClient

from core.settings import Settings
from gateway.app import build, create_app
from tests.waiting import until

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
    assert not hasattr(app.state, "gateway")


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
        until(lambda: not stage.exists())
