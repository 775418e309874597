"""What the routes get: ports and settings of the app. Async, since FastAPI gives each plain function a thread."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from core.settings import Settings
from core.wiring import Ports


async def _ports(request: Request) -> Ports:
    found: Ports = request.app.state.ports
    return found


async def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


PortsPart = Annotated[Ports, Depends(_ports)]
SettingsPart = Annotated[Settings, Depends(_settings)]
