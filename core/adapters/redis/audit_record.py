"""An audited act as text, and back."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from core.domain.audit import AuditAct, AuditAction, AuditMethod, AuditOutcome, AuditTarget


def act_text(act: AuditAct) -> str:
    """One JSON object; empty fields are left out."""
    known = {
        "actor": act.actor,
        "method": act.method,
        "action": act.action,
        "target_kind": act.target_kind,
        "target": act.target,
        "owner": act.owner,
        "address": act.address,
        "request_id": act.request_id,
        "details": dict(act.details),
    }
    return json.dumps({name: value for name, value in known.items() if value}, separators=(",", ":"))


def act_from(text: str) -> AuditAct:
    """The act of a text. Actions and targets unknown to this version (from a newer one) become `other` and `site`."""
    found: dict[str, Any] = json.loads(text)
    action = found.get("action", "")
    return AuditAct(
        actor=found.get("actor", ""),
        method=AuditMethod(found["method"]),
        action=AuditAction(action) if action in set(AuditAction) else AuditAction.OTHER,
        target_kind=AuditTarget(found["target_kind"]) if found["target_kind"] in set(AuditTarget) else AuditTarget.SITE,
        target=found.get("target", ""),
        owner=found.get("owner", ""),
        address=found.get("address", ""),
        request_id=found.get("request_id", ""),
        details=found.get("details", {}),
    )


def read_mark(act: AuditAct) -> str:
    """Equal for equal reads by one admin from one address, whatever the request."""
    parts = [act.actor, act.method, act.action, act.target_kind, act.target, act.address]
    text = json.dumps([*parts, sorted(act.details.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def outcome_text(outcome: AuditOutcome, status: int | None) -> str:
    return f"{outcome} {status or ''}".strip()


def outcome_from(text: str) -> tuple[AuditOutcome, int | None]:
    outcome, _space, status = text.partition(" ")
    return AuditOutcome(outcome), int(status) if status else None
