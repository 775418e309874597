"""What the routes get: the ports and settings that the app was built with."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from core.settings import Settings
from core.wiring import Ports


def _ports(request: Request) -> Ports:
    found: Ports = request.app.state.ports
    return found


def _settings(request: Request) -> Settings:
    found: Settings = request.app.state.settings
    return found


PortsPart = Annotated[Ports, Depends(_ports)]
SettingsPart = Annotated[Settings, Depends(_settings)]
