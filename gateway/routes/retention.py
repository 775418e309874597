"""Routes for admins: what retention would remove, removing it now, and pins."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter

from gateway.dependencies import CurrentAdmin, PortsPart, RetentionPart, SettingsPart
from gateway.schemas.admin import PinList, RetentionView
from gateway.schemas.jobs import JobId

router = APIRouter(prefix="/admin", tags=["admin"])


@router.get("/retention")
def plan(_admin: CurrentAdmin, settings: SettingsPart, retention: RetentionPart) -> RetentionView:
    """What a round would remove now; nothing is removed."""
    return RetentionView.of(retention.plan(settings.retention_days), days=settings.retention_days)


@router.post("/retention")
def carry_out(
    _admin: CurrentAdmin, ports: PortsPart, settings: SettingsPart, retention: RetentionPart
) -> RetentionView:
    """Run one round now; answers what was removed. A round is bounded: repeat it until it removes nothing."""
    ports.audit.trim()
    return RetentionView.of(retention.carry_out(settings.retention_days), days=settings.retention_days)


@router.get("/pins")
def pins(_admin: CurrentAdmin, retention: RetentionPart) -> PinList:
    """The jobs that are kept regardless of their age."""
    return PinList(job_ids=sorted(retention.records.pinned()))


@router.post("/jobs/{job_id}/pin", status_code=HTTPStatus.NO_CONTENT)
def pin(job_id: JobId, _admin: CurrentAdmin, retention: RetentionPart) -> None:
    """Keep an ended job for good: its record, log, run and submission."""
    retention.records.pin(job_id)


@router.delete("/jobs/{job_id}/pin", status_code=HTTPStatus.NO_CONTENT)
def unpin(job_id: JobId, _admin: CurrentAdmin, retention: RetentionPart) -> None:
    """Remove the pin. The job's age counts from its end: the record of an old one is removed at once."""
    retention.records.unpin(job_id)
