"""Answers to admins about the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from core.domain.audit import AuditAction, AuditEntry, AuditMethod, AuditOutcome, AuditTarget
from core.ports.audit import AuditPage
from gateway.schemas.jobs import Answer


class AuditEntryView(Answer):
    """One act of an admin. Text from others is visible ASCII: other characters are escaped, long text is cut."""

    entry_id: str
    at: Annotated[datetime, Field(description="By the ledger's clock, when the act began.")]
    actor: Annotated[str, Field(description="The admin's user name; `(local)`: a command on the machine.")]
    method: AuditMethod
    action: AuditAction
    target_kind: AuditTarget
    target: str
    owner: Annotated[str, Field(description="Whose thing it is; empty where it has no owner.")]
    address: Annotated[str, Field(description="The nearest address that is no trusted proxy; of IPv6 the /64 network.")]
    request_id: str
    details: dict[str, str]
    outcome: Annotated[
        AuditOutcome,
        Field(
            description="`begun`: the server ended before the outcome was known. `read`: once an hour for each thing."
        ),
    ]
    status: Annotated[int | None, Field(description="The HTTP status of the answer; 499: nothing was answered.")]

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        act = entry.act
        return cls(
            entry_id=entry.entry_id, at=entry.at, actor=act.actor, method=act.method, action=act.action,
            target_kind=act.target_kind, target=act.target, owner=act.owner, address=act.address,
            request_id=act.request_id, details=dict(act.details), outcome=entry.outcome, status=entry.status,
        )  # fmt: skip


class AuditList(Answer):
    items: list[AuditEntryView]
    next_cursor: Annotated[
        str | None,
        Field(description="Ask again with it; a page with few or no items may have a next one all the same."),
    ]
    displaced: Annotated[int, Field(description="Entries that went before their time because the trail was full.")]
    kept_days: int

    @classmethod
    def of(cls, page: AuditPage, *, days: int) -> Self:
        items = [AuditEntryView.of(entry) for entry in page.entries]
        return cls(items=items, next_cursor=page.next_cursor, displaced=page.displaced, kept_days=days)
