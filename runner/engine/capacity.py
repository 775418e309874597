"""Fits the resource classes to what this engine has."""

from __future__ import annotations

import structlog

from core.domain.errors import Unavailable
from core.domain.limits import ResourceClass, fit
from core.settings import Settings
from runner.engine.docker_engine import DockerEngine

log = structlog.get_logger(__name__)


def fitted(settings: Settings, engine: DockerEngine) -> tuple[ResourceClass, ...]:
    """The resource classes, lowered to what the engine has; logs each lowered value."""
    try:
        capacity = engine.capacity()
    except Unavailable as error:
        raise SystemExit(f"runner: {error}") from error
    found = []
    for wanted in settings.resource_classes:
        lowered, notices = fit(wanted, capacity)
        found.append(lowered)
        for notice in notices:
            log.warning("resource class lowered", notice=notice)
    return tuple(found)
