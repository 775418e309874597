"""The gateway's app on twins in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import ApiToken, Settings
from gateway.app import create_app
from gateway.background.tracking_watch import TrackingWatch
from gateway.live.board_cache import BoardCache
from gateway.live.log_stream import LogHub
from tests.builders import SMALL_LIMITS, ports
from tests.twins.tracking_reads import MemoryTrackingReads
from tests.unit.gateway.app_site import TOKENS, Site


@pytest.fixture
def settings() -> Settings:
    """Two users and an admin; small limits of uploads; many jobs an hour."""
    tokens = tuple(ApiToken(user_id=name, token=token) for name, token in TOKENS.items())
    return Settings(
        api_tokens=tokens,
        admin_users=("root",),
        cors_origins=("https://ui.example",),
        upload=SMALL_LIMITS,
        min_free_bytes=0,
        max_submissions_per_hour=20,
        mlflow_url="http://mlflow.example",
    )


@pytest.fixture
def site(tmp_path: Path, settings: Settings) -> Site:
    app = create_app(settings)
    app.state.ports = ports(tmp_path, limits=SMALL_LIMITS)
    app.state.tracking_reads = MemoryTrackingReads(app.state.ports.tracking)
    app.state.board_cache = BoardCache(app.state.ports.results, app.state.ports.job_status)
    app.state.tracking_watch = TrackingWatch(app.state.ports.results, app.state.ports.tracking)
    app.state.log_hub = LogHub(app.state.ports.job_status, app.state.ports.storage)
    return Site(app=app, ports=app.state.ports, root=tmp_path)
