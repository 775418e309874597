"""Route for admins: the audit trail. No call changes or removes an entry."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from core.domain.audit import CURSOR, LONGEST_NAME, LONGEST_TARGET, AuditAction
from core.ports.audit import AuditFilter
from gateway.dependencies import CurrentAdmin, PortsPart, SettingsPart
from gateway.schemas.audit import AuditList

VISIBLE = "^[ -~]*$"
"""All text in the trail is printable ASCII."""

router = APIRouter(prefix="/admin", tags=["admin"])


@router.get("/audit")
def audit(
    _admin: CurrentAdmin,
    ports: PortsPart,
    settings: SettingsPart,
    actor: Annotated[
        str | None, Query(max_length=LONGEST_NAME, pattern=VISIBLE, description="An admin's user name.")
    ] = None,
    action: Annotated[AuditAction | None, Query()] = None,
    target: Annotated[
        str | None,
        Query(
            max_length=LONGEST_TARGET, pattern=VISIBLE, description="As an entry shows it: a job's id, a user's name."
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=f"^{CURSOR.pattern}$")] = None,
) -> AuditList:
    """What admins did, newest first: every change, and reads of other users' data, once an hour for each target."""
    wanted = AuditFilter(actor=actor, action=action, target=target)
    page = ports.audit.page(wanted, limit=limit, cursor=cursor)
    return AuditList.of(page, days=settings.audit_days)
