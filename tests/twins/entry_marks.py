"""Marks of entries in memory: the twin of RedisEntryMarks for tests, beside a ledger in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.domain.entry_marks import UNMARKED, EntryMarks
from tests.twins.job_status import MemoryJobStatus


@dataclass
class MemoryEntryMarks:
    """EntryMarksPort on the jobs of this ledger."""

    ledger: MemoryJobStatus
    kept: dict[tuple[str, str], EntryMarks] = field(default_factory=dict)
    changes: Counter[str] = field(default_factory=Counter)

    def of_benchmark(self, benchmark: str) -> Mapping[str, EntryMarks]:
        return {job_id: marks for (name, job_id), marks in self.kept.items() if name == benchmark and marks != UNMARKED}

    def get(self, benchmark: str, job_id: str) -> EntryMarks:
        return self.kept.get((benchmark, job_id), UNMARKED)

    def put(self, benchmark: str, job_id: str, **changed: str | bool) -> EntryMarks:
        self.ledger.get(job_id)
        values: dict[str, Any] = changed
        self.kept[benchmark, job_id] = replace(self.get(benchmark, job_id), **values)
        self.changes[benchmark] += 1
        return self.kept[benchmark, job_id]

    def revision(self, benchmark: str) -> int:
        return self.changes[benchmark]
