"""The API's answers about the audit trail, as frozen values."""

from datetime import datetime

from pydantic import Field

from client.api.models import Answer


class AuditEntry(Answer):
    """One act of an administrator."""

    entry_id: str
    at: datetime
    actor: str
    method: str
    action: str
    target_kind: str
    target: str
    owner: str = ""
    address: str = ""
    request_id: str = ""
    details: dict[str, str] = Field(default_factory=dict)
    outcome: str
    status: int | None = None


class AuditPage(Answer):
    """Some entries of the audit trail, newest first; `displaced`: how many were removed early because it was full."""

    items: tuple[AuditEntry, ...] = ()
    next_cursor: str | None = None
    displaced: int = 0
    kept_days: int
