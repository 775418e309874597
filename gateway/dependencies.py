"""FastAPI dependencies: the app's ports and settings. Async, because FastAPI runs a plain function in a thread."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from core.ports.tracking_reads import TrackingReadsPort
from core.settings import Settings
from core.wiring import Ports
from gateway.live.open_files import OpenFiles
from gateway.live.queue_forecast import Outlook


async def _ports(request: Request) -> Ports:
    found: Ports = request.app.state.ports
    return found


async def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


async def _tracking_reads(request: Request) -> TrackingReadsPort:
    found: TrackingReadsPort = request.app.state.tracking_reads
    return found


def _outlook(request: Request) -> Outlook:
    state = request.app.state
    if not hasattr(state, "outlook"):
        state.outlook = Outlook(job_status=state.ports.job_status, runners=state.ports.runners)
    found: Outlook = state.outlook
    return found


async def _open_files(request: Request) -> OpenFiles:
    found: OpenFiles = request.app.state.open_files
    return found


OpenFilesPart = Annotated[OpenFiles, Depends(_open_files)]
OutlookPart = Annotated[Outlook, Depends(_outlook)]
PortsPart = Annotated[Ports, Depends(_ports)]
SettingsPart = Annotated[Settings, Depends(_settings)]
TrackingReadsPart = Annotated[TrackingReadsPort, Depends(_tracking_reads)]
