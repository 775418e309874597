"""What is old enough to be removed, and what was removed (RUN-7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OldRun:
    """A run of ours at the tracking server."""

    run_id: str
    experiment_id: str
    job_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Expired:
    """What one round removes or would remove; bounded, so an old site takes several rounds."""

    before: datetime
    jobs: Sequence[str] = ()
    submissions: Sequence[str] = ()
    logs: Sequence[str] = ()
    """Ids of the jobs whose logs are removed."""
    runs: Sequence[OldRun] = ()
    trimmed: int = 0
    """How many list entries without a job record were removed."""
    hindered: bool = False
    """True if something was not removed because a part of the platform did not answer."""

    @property
    def is_empty(self) -> bool:
        return not (self.jobs or self.submissions or self.logs or self.runs or self.trimmed)
