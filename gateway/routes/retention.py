"""For admins: what is old enough to go, removing it now, jobs that are kept; once a day all of it goes, or is kept."""

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
"""After the start: whoever restarts a gateway is looked after first."""
EVERY_SECONDS = 24 * 3600.0
ASK_SECONDS = 1800.0
AT_IT_SECONDS = 900.0
"""Longer than a round takes: after that another gateway goes on where one died, or met a part that was away."""
PAUSE_SECONDS = 5.0
"""Between two rounds, for whoever uses Redis and the disks meanwhile."""
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
    """Rounds until nothing goes any more, by one gateway in a day; whether they were done. Raises Unavailable.

    Where nothing is to go (RETENTION_DAYS=0), the ledger's records, which end by themselves, are told to stay.

    The day is used up only then: where a part is away, or this process ends, somebody goes on a while later.
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
    """What a round would remove now; nothing is touched."""
    with open_retention(settings) as retention:
        return RetentionView.of(retention.plan(settings.retention_days or 90), days=settings.retention_days)


@router.post("/retention")
def carry_out(_admin: CurrentAdmin, ports: PortsPart, settings: SettingsPart) -> RetentionView:
    """One round now; the answer is what was removed. A round is bounded: repeat it until it removes nothing."""
    ports.audit.trim()
    with open_retention(settings) as retention:
        return RetentionView.of(retention.carry_out(settings.retention_days or 90), days=settings.retention_days)


@router.get("/pins")
def pins(_admin: CurrentAdmin, settings: SettingsPart) -> PinList:
    """The jobs that are kept whatever their age."""
    with open_retention(settings) as retention:
        return PinList(job_ids=sorted(retention.records.pinned()))


@router.post("/jobs/{job_id}/pin", status_code=HTTPStatus.NO_CONTENT)
def pin(job_id: JobId, _admin: CurrentAdmin, settings: SettingsPart) -> None:
    """Keep an ended job for good: its record, log, run and submission."""
    with open_retention(settings) as retention:
        retention.records.pin(job_id)


@router.delete("/jobs/{job_id}/pin", status_code=HTTPStatus.NO_CONTENT)
def unpin(job_id: JobId, _admin: CurrentAdmin, settings: SettingsPart) -> None:
    """It goes at its time again, counted from its end: an old one at once."""
    with open_retention(settings) as retention:
        retention.records.unpin(job_id)
