"""Everything that the gateway's requests share and that lives as long as its app."""

from __future__ import annotations

from dataclasses import dataclass

from anyio import CapacityLimiter
from fastapi import FastAPI

from core.ports.tracking_reads import TrackingReadsPort
from core.settings import Settings
from core.usecases.retention import Retention
from core.wiring import Ports
from gateway.auth.authenticator import Authenticator
from gateway.background.tracking_watch import TrackingWatch
from gateway.live.board_cache import BoardCache
from gateway.live.log_stream import LogHub
from gateway.live.open_files import OpenFiles
from gateway.live.queue_forecast import QueueForecast
from gateway.metrics import Metrics
from gateway.middleware.audit import Auditor


@dataclass(frozen=True, kw_only=True, slots=True)
class AppState:
    """Built once, when the app starts (gateway/app.py); routes read it through gateway/dependencies.py."""

    settings: Settings
    ports: Ports
    tracking_reads: TrackingReadsPort
    retention: Retention
    authenticator: Authenticator
    auditor: Auditor
    metrics: Metrics
    board_cache: BoardCache
    tracking_watch: TrackingWatch
    log_hub: LogHub
    forecast: QueueForecast
    open_files: OpenFiles
    unpacking: CapacityLimiter
    """How many uploads are unpacked at once."""


def put_state(app: FastAPI, state: AppState) -> None:
    """Give the app its state. Call it before the first request."""
    app.state.gateway = state


def state_of(app: FastAPI) -> AppState:
    """The state of an app that has started."""
    found: AppState = app.state.gateway
    return found
