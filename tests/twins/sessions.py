"""Sessions in memory: the twin of RedisSessions for tests, held to the same contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.domain.session import Session


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class MemorySessions:
    """SessionsPort for one process; `clock` answers the time in UTC."""

    clock: Callable[[], datetime] = _now
    _sessions: dict[str, Session] = field(default_factory=dict)

    def open(self, token_hash: str, session: Session, *, most: int) -> None:
        self._sessions[token_hash] = session
        own = sorted(self._of(session.user_id), key=lambda kept: self._sessions[kept].expires_at)
        for surplus in own[: max(0, len(own) - most)]:
            del self._sessions[surplus]

    def find(self, token_hash: str) -> Session | None:
        session = self._sessions.get(token_hash)
        return session if session and session.expires_at > self.clock() else None

    def close(self, token_hash: str) -> None:
        self._sessions.pop(token_hash, None)

    def close_all(self, user_id: str) -> None:
        for token_hash in self._of(user_id):
            del self._sessions[token_hash]

    def _of(self, user_id: str) -> list[str]:
        return [kept for kept, session in self._sessions.items() if session.user_id.lower() == user_id.lower()]
