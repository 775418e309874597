"""An account and a session as the text stored in Redis, and back."""

from __future__ import annotations

import json
from datetime import datetime

from core.domain.account import Account
from core.domain.session import Session
from core.domain.user import Role


def account_text(account: Account) -> str:
    return json.dumps({
        "name": account.name, "role": account.role, "created_at": account.created_at.isoformat(),
        "password_hash": account.password_hash, "subject": account.subject, "stamp": account.stamp,
    })  # fmt: skip


def account_from(text: str) -> Account:
    kept = json.loads(text)
    return Account(
        name=kept["name"],
        role=Role(kept["role"]),
        created_at=datetime.fromisoformat(kept["created_at"]),
        password_hash=kept["password_hash"],
        subject=kept["subject"],
        stamp=kept["stamp"],
    )


def session_text(session: Session) -> str:
    return json.dumps(
        {"user_id": session.user_id, "stamp": session.stamp, "expires_at": session.expires_at.isoformat()}
    )


def session_from(text: str) -> Session:
    kept = json.loads(text)
    return Session(user_id=kept["user_id"], stamp=kept["stamp"], expires_at=datetime.fromisoformat(kept["expires_at"]))
