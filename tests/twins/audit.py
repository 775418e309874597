"""The audit trail in memory: the twin of RedisAudit for tests, held to the same contract."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core.adapters.redis.audit_record import read_mark
from core.domain import audit
from core.domain.audit import AuditAct, AuditEntry, AuditOutcome
from core.domain.errors import InvalidInput
from core.ports.audit import AuditFilter, AuditPage


@dataclass
class MemoryAudit:
    """AuditPort for one process; `clock` answers seconds since 1970."""

    days: int = 90
    clock: Callable[[], float] = time.time
    _entries: list[AuditEntry] = field(default_factory=list)
    _reads: dict[str, float] = field(default_factory=dict)
    _displaced: int = 0
    _last: tuple[int, int] = (0, 0)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def begin(self, act: AuditAct) -> str:
        return self._keep(act, AuditOutcome.BEGUN)

    def read(self, act: AuditAct) -> bool:
        with self._lock:
            now, mark = self.clock(), read_mark(act)
            seen = self._reads.get(mark, float("-inf"))
            if seen <= now < seen + audit.READ_SECONDS:
                return False
            self._reads[mark] = now
            self._keep(act, AuditOutcome.READ)
            return True

    def end(self, entry_id: str, outcome: AuditOutcome, status: int | None) -> None:
        with self._lock:
            for place, entry in enumerate(self._entries):
                if entry.entry_id == entry_id and entry.outcome is AuditOutcome.BEGUN:
                    self._entries[place] = replace(entry, outcome=outcome, status=status)

    def page(self, wanted: AuditFilter, *, limit: int = 50, cursor: str | None = None) -> AuditPage:
        if cursor is not None and not audit.CURSOR.fullmatch(cursor):
            raise InvalidInput.of("cursor", "must be one that an earlier answer gave")
        with self._lock:
            before = _place(cursor) if cursor else (float("inf"), 0)
            kept = [one for one in self._alive() if _place(one.entry_id) < before]
        found: list[AuditEntry] = []
        for looked_at, entry in enumerate(reversed(kept), 1):
            found += [entry] if wanted.takes(entry) else []
            if len(found) == limit or looked_at == audit.SCANNED:
                return AuditPage(entries=found, next_cursor=entry.entry_id, displaced=self._displaced)
        return AuditPage(entries=found, next_cursor=None, displaced=self._displaced)

    def trim(self) -> int:
        with self._lock:
            alive = self._alive()
            gone = len(self._entries) - len(alive)
            self._entries = alive
            return gone

    def _alive(self) -> list[AuditEntry]:
        oldest = (self.clock() - self.days * 86_400) * 1000
        return [entry for entry in self._entries if _place(entry.entry_id)[0] >= oldest]

    def _keep(self, act: AuditAct, outcome: AuditOutcome) -> str:
        with self._lock:
            now = self.clock()
            moment = (int(now * 1000), 0)
            self._last = moment if moment > self._last else (self._last[0], self._last[1] + 1)
            entry_id = f"{self._last[0]}-{self._last[1]}"
            at = datetime.fromtimestamp(now, UTC)
            self._entries.append(AuditEntry(entry_id=entry_id, at=at, act=act, outcome=outcome))
            self.trim()
            over = len(self._entries) - audit.MOST_ENTRIES
            if over > 0:
                del self._entries[:over]
                self._displaced += over
            return entry_id


def _place(entry_id: str) -> tuple[int, int]:
    milliseconds, _dash, number = entry_id.partition("-")
    return int(milliseconds), int(number)
