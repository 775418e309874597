"""Health checks: is this process alive, and are its dependencies?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from core.domain.errors import StorageFull, Unavailable
from core.wiring import Ports
from gateway.dependencies import PortsPart, QueueForecastPart
from gateway.live.queue_forecast import QueueForecast
from gateway.schemas.jobs import Health

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", response_model_exclude_defaults=True)
def live() -> Health:
    """Answers as long as the process does."""
    return Health(status="ok")


@router.get("/ready", responses={503: {"model": Health}})
async def ready(ports: PortsPart, forecast: QueueForecastPart, response: Response) -> Health:
    """Check each dependency of requests, all at once; 503 names those that do not answer, and unusable folders.

    `runners` does not affect the status: without runners the API serves, and jobs wait.
    """
    checks = {"redis": ports.job_status.check, "mlflow": ports.tracking.check, "storage": ports.storage.check}
    found = await asyncio.gather(*(run_in_threadpool(_state, check) for check in checks.values()))
    states = dict(zip(checks, found, strict=True))
    if set(states.values()) == {"ok"}:
        return Health(status="ok", dependencies=states, runners=await run_in_threadpool(_runners, forecast))
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    folders = await run_in_threadpool(_unusable, ports)
    return Health(status="unavailable", dependencies=states, folders=folders)


def _unusable(ports: Ports) -> dict[str, str]:
    return {state.name: state.fault for state in ports.folders.states() if state.fault}


def _runners(forecast: QueueForecast) -> str | None:
    try:
        return f"{forecast.ready_runners() or 'none'} ready"
    except Unavailable:
        return None


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except (Unavailable, StorageFull):
        return "unavailable"
    return "ok"
