"""Routes for admins: what retention would remove, removing it now, and pins; also starts the daily retention thread."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from fastapi import APIRouter, FastAPI

from core.domain.errors import LeadersboardError
from core.settings import Settings
from core.wiring import Ports, open_retention
from gateway.auth.authenticator import CurrentAdmin
from gateway.dependencies import PortsPart, SettingsPart
from gateway.schemas.admin import PinList, RetentionView
from gateway.schemas.jobs import JobId

FIRST_SECONDS = 300.0
"""Delay after the start, so that retention does not compete with the first requests."""
EVERY_SECONDS = 24 * 3600.0
ASK_SECONDS = 1800.0
AT_IT_SECONDS = 900.0
"""Longer than a round takes. After it another gateway may go on where one died or met an outage."""
PAUSE_SECONDS = 5.0
"""Pause between two rounds, so that others can use Redis and the disks."""
MOST_ROUNDS = 200
TURN = "retention"

log = structlog.get_logger(__name__)


@asynccontextmanager
async def _daily(app: FastAPI) -> AsyncIterator[None]:
    ended = threading.Event()
    thread = threading.Thread(
        target=_run, args=(app.state.settings, app.state.ports, ended), daemon=True, name="retention"
    )
    thread.start()
    yield
    ended.set()


router = APIRouter(prefix="/admin", tags=["admin"], lifespan=_daily)


def _run(settings: Settings, ports: Ports, ended: threading.Event) -> None:
    wait = FIRST_SECONDS
    while not ended.wait(wait):
        wait = ASK_SECONDS
        try:
            rounds_of_today(settings, ports, ended)
        except LeadersboardError as error:
            log.warning("retention not done", error=str(error))
        except Exception:  # the thread must not end: disks would fill
            log.exception("retention broke")


def rounds_of_today(settings: Settings, ports: Ports, ended: threading.Event) -> bool:
    """Run rounds until nothing is left to remove, in one gateway a day. Returns whether it is done. Raises Unavailable.

    With RETENTION_DAYS=0 nothing is removed, and the ledger's records lose their expiry.

    The day's turn is kept only when all is done: after an outage, or when this process ends, a gateway goes on later.
    """
    if not ports.runners.turn(TURN, AT_IT_SECONDS):
        return False
    with open_retention(settings) as retention:
        if not settings.retention_days:
            log.info("kept for ever", jobs=retention.records.keep_all())
        for _round in range(MOST_ROUNDS if settings.retention_days else 0):
            done = retention.carry_out(settings.retention_days)
            if done.is_empty and not done.hindered:
                break
            if done.hindered or ended.wait(PAUSE_SECONDS):
                return False
            ports.runners.keep_turn(TURN, AT_IT_SECONDS)
    ports.audit.trim()
    ports.runners.keep_turn(TURN, EVERY_SECONDS)
    return True


@router.get("/retention")
def plan(_admin: CurrentAdmin, settings: SettingsPart) -> RetentionView:
    """What a round would remove now; nothing is removed."""
    with open_retention(settings) as retention:
        return RetentionView.of(retention.plan(settings.retention_days), days=settings.retention_days)


@router.post("/retention")
def carry_out(_admin: CurrentAdmin, ports: PortsPart, settings: SettingsPart) -> RetentionView:
    """Run one round now; answers what was removed. A round is bounded: repeat it until it removes nothing."""
    ports.audit.trim()
    with open_retention(settings) as retention:
        return RetentionView.of(retention.carry_out(settings.retention_days), days=settings.retention_days)


@router.get("/pins")
def pins(_admin: CurrentAdmin, settings: SettingsPart) -> PinList:
    """The jobs that are kept regardless of their age."""
    with open_retention(settings) as retention:
        return PinList(job_ids=sorted(retention.records.pinned()))


@router.post("/jobs/{job_id}/pin", status_code=HTTPStatus.NO_CONTENT)
def pin(job_id: JobId, _admin: CurrentAdmin, settings: SettingsPart) -> None:
    """Keep an ended job for good: its record, log, run and submission."""
    with open_retention(settings) as retention:
        retention.records.pin(job_id)


@router.delete("/jobs/{job_id}/pin", status_code=HTTPStatus.NO_CONTENT)
def unpin(job_id: JobId, _admin: CurrentAdmin, settings: SettingsPart) -> None:
    """Remove the pin. The job's age counts from its end: the record of an old one is removed at once."""
    with open_retention(settings) as retention:
        retention.records.unpin(job_id)
