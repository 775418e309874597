"""Marks of entries, kept as long as the records of their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from core.domain.entry_marks import EntryMarks


class EntryMarksPort(Protocol):
    """All methods raise Unavailable."""

    def of_benchmark(self, benchmark: str) -> Mapping[str, EntryMarks]:
        """All marks of a benchmark's entries, by job id; without those that have none."""
        ...

    def get(self, benchmark: str, job_id: str) -> EntryMarks:
        """The marks of one entry."""
        ...

    def put(self, benchmark: str, job_id: str, **changed: str | bool) -> EntryMarks:
        """Set these fields of EntryMarks at once, and no others. Raises NotFound when the job has no record."""
        ...

    def revision(self, benchmark: str) -> int:
        """A number that grows with each change of a benchmark's marks."""
        ...
