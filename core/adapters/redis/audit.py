"""The audit trail in Redis: an append-only stream of acts, and a hash with the outcome of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import redis

from core.adapters.redis.audit_record import act_from, act_text, outcome_from, outcome_text, read_mark
from core.adapters.redis.connection import redis_errors
from core.domain import audit
from core.domain.audit import AuditAct, AuditEntry, AuditOutcome
from core.domain.errors import InvalidInput
from core.ports.audit import AuditFilter, AuditPage

ENTRIES = "leaderboard:audit"
OUTCOMES = f"{ENTRIES}:outcomes"
READS = f"{ENTRIES}:reads"
DISPLACED = f"{ENTRIES}:displaced"
BATCH = 500
DAY_SECONDS = 86_400


@cache
def _script_text(name: str) -> str:
    return (files("core.adapters.redis") / "scripts" / f"audit_{name}.lua").read_text()


class RedisAudit:
    """AuditPort on the ledger's Redis; entries are kept for `days`."""

    def __init__(self, client: redis.Redis, *, days: int) -> None:
        self._redis = client
        self._seconds = days * DAY_SECONDS

    def begin(self, act: AuditAct) -> str:
        return str(self._keep(act_text(act), mark=""))

    def read(self, act: AuditAct) -> bool:
        entry_id = self._keep(act_text(act), mark=read_mark(act))
        if entry_id is None:
            return False
        self.end(entry_id, AuditOutcome.READ, None)
        return True

    def trim(self) -> int:
        return int(self._keep("", mark=""))

    def end(self, entry_id: str, outcome: AuditOutcome, status: int | None) -> None:
        with redis_errors():
            script = self._redis.register_script(_script_text("end"))
            script(keys=[ENTRIES, OUTCOMES], args=[entry_id, outcome_text(outcome, status)])

    def _keep(self, text: str, *, mark: str) -> Any:
        with redis_errors():
            return self._redis.register_script(_script_text("keep"))(
                keys=[ENTRIES, OUTCOMES, READS, DISPLACED],
                args=[text, audit.MOST_ENTRIES, self._seconds, mark, audit.READ_SECONDS],
            )

    def page(self, wanted: AuditFilter, *, limit: int = 50, cursor: str | None = None) -> AuditPage:
        if cursor is not None and not audit.CURSOR.fullmatch(cursor):
            raise InvalidInput.of("cursor", "must be one that an earlier answer gave")
        found: list[AuditEntry] = []
        last, looked_at = cursor, 0
        for batch in self._newest_first(cursor):
            for entry in self._entries(batch):
                last, looked_at = entry.entry_id, looked_at + 1
                found += [entry] if wanted.takes(entry) else []
                if len(found) == limit or looked_at == audit.SCANNED:
                    return AuditPage(entries=found, next_cursor=last, displaced=self._displaced())
        return AuditPage(entries=found, next_cursor=None, displaced=self._displaced())

    def _newest_first(self, cursor: str | None) -> Iterator[Sequence[Any]]:
        """Raw entries that have not expired, one batch at a time."""
        with redis_errors():
            seconds, _microseconds = self._redis.time()
        oldest = max(0, (seconds - self._seconds) * 1000)
        end = f"({cursor}" if cursor else "+"
        while True:
            with redis_errors():
                batch: Any = self._redis.xrevrange(ENTRIES, end, oldest, count=BATCH)
            if batch:
                yield batch
            if len(batch) < BATCH:
                return
            end = f"({batch[-1][0]}"

    def _entries(self, batch: Sequence[Any]) -> Iterator[AuditEntry]:
        with redis_errors():
            outcomes: Any = self._redis.hmget(OUTCOMES, [entry_id for entry_id, _fields in batch])
        for (entry_id, fields), text in zip(batch, outcomes, strict=True):
            outcome, status = outcome_from(text) if text else (AuditOutcome.BEGUN, None)
            yield AuditEntry(
                entry_id=entry_id,
                at=datetime.fromtimestamp(float(fields["at"]), UTC),
                act=act_from(fields["act"]),
                outcome=outcome,
                status=status,
            )

    def _displaced(self) -> int:
        with redis_errors():
            return int(self._redis.get(DISPLACED) or 0)
